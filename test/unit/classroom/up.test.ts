import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseClass } from "../../../classroom/class-file.ts";
import { noHalt, type Halt } from "../../../classroom/halt.ts";
import { Journal } from "../../../classroom/journal.ts";
import type { Look, LookFault } from "../../../classroom/look.ts";
import type { Student } from "../../../classroom/roster.ts";
import type { Screen } from "../../../classroom/screen.ts";
import type { Failure, Outcome, StudentStack } from "../../../classroom/stacks.ts";
import { bringUp, Counts } from "../../../classroom/up.ts";
import type { SshTarget } from "../../../machine/target.ts";
import { healthy } from "../preflight/observation.ts";

const ready: Outcome = { ok: true, seconds: 61, warnings: [] };
const failed = (kind: Failure["kind"], problem = "broken"): Outcome => ({ ok: false, seconds: 5, failure: { kind, problem, details: problem } });
const dead: LookFault = { kind: "unreachable", problem: "does not answer", next: "switch it on" };

const student = (id: string, index: number): Student => ({ id, machines: [{ host: `192.0.2.${index + 1}` }], line: index + 2 });
const students = ["s01", "s02", "s03", "s04"].map(student);

let directory: string;
let journal: Journal;
let said: string[];
let screen: Screen;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "classroom-"));
  journal = new Journal({ directory, name: "cka" });
  said = [];
  screen = { note: () => {}, moves: () => {}, rests: ({ id }, text) => void said.push(`${id} ${text}`), close: () => {} };
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Brings up the class with stacks and machines that end as the test says, and tells who was begun, in order. */
async function bring(ends: Record<string, Outcome[]>, { faults = {}, halt = noHalt, parallelism = 2 }: { faults?: Record<string, (LookFault | undefined)[]>; halt?: Halt; parallelism?: number } = {}) {
  const begun: string[] = [];
  let running = 0;
  let most = 0;
  const look = async (asked: readonly Student[]): Promise<Look[]> =>
    asked.map((one) => {
      const fault = faults[one.id]?.shift();
      const place = { student: one, machine: one.id, host: one.machines[0]!.host, target: {} as SshTarget, owner: "p/s/c" };
      return fault ? { ...place, fault } : { ...place, facts: healthy("10.0.0.1"), hostKey: `key of ${one.id}` };
    });
  const stackOf = ({ id }: Student) =>
    ({
      async up() {
        begun.push(id);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        return ends[id]?.shift() ?? ready;
      },
    }) as Partial<StudentStack> as StudentStack;
  const counts = new Counts(students.length);
  const results = await bringUp(students, { klass: parseClass("name: cka", "class.yaml"), journal, stackOf, look, parallelism, screen, halt }, counts);
  return { begun, most, counts: String(counts), results: results.map(({ student: { id }, outcome }) => `${id} ${outcome.ok ? "ready" : outcome.failure.kind}`) };
}

describe("bringing up a class", () => {
  test("begins each student once, no more at a time than allowed, and tells each as it ends", async () => {
    const { begun, most, results, counts } = await bring({});
    expect(begun).toEqual(["s01", "s02", "s03", "s04"]);
    expect(most).toBe(2);
    expect(results).toEqual(["s01 ready", "s02 ready", "s03 ready", "s04 ready"]);
    expect(said).toContain("s03 ready after 1:01");
    expect(counts).toBe("4 ready, 0 running, 0 waiting, 0 not ready");
  });

  test("one that fails is no other's matter, and is not tried again", async () => {
    const { begun, results, counts } = await bring({ s02: [failed("failed")] });
    expect(begun).toEqual(["s01", "s02", "s03", "s04"]);
    expect(results[1]).toBe("s02 failed");
    expect(counts).toBe("3 ready, 0 running, 0 waiting, 1 not ready");
  });

  test("a connection that broke is tried once more, after all others, and only once", async () => {
    const { begun, results } = await bring({ s01: [failed("unreachable"), ready], s02: [failed("unreachable"), failed("unreachable")] });
    expect(begun).toEqual(["s01", "s02", "s03", "s04", "s01", "s02"]);
    expect(results).toEqual(["s01 ready", "s02 unreachable", "s03 ready", "s04 ready"]);
    expect(said).toContain("s01 broken; is tried once more when the others are done");
  });

  test("no engine is started for a machine that cannot be worked with; one that answers later is made then", async () => {
    const refused: LookFault = { kind: "refused", problem: "refused every key", next: "put the key there" };
    const { begun, results } = await bring({}, { faults: { s01: [dead], s02: [dead, dead], s03: [refused] } });
    expect(begun).toEqual(["s04", "s01"]);
    expect(results).toEqual(["s01 ready", "s02 unreachable", "s03 failed", "s04 ready"]);
    expect(said).toContain("s03 line 4: 192.0.2.3: refused every key");
    expect(journal.last("s02")).toMatchObject({ command: "up", ok: false, kind: "unreachable", next: "switch it on" });
  });

  test("begins nobody when the operator has asked for an end", async () => {
    const { begun, results } = await bring({}, { halt: { ...noHalt, requested: true } });
    expect(begun).toEqual([]);
    expect(results[0]).toBe("s01 stopped");
  });

  test("what is wrong with Pulumi itself is met once and not by everybody", async () => {
    const { begun, results } = await bring({ s01: [failed("environment", "passphrase must be set")] }, { parallelism: 1 });
    expect(begun).toEqual(["s01"]);
    expect(results).toEqual(["s01 environment", "s02 environment", "s03 environment", "s04 environment"]);
  });

  test("remembers what each machine was like before", async () => {
    await bring({}, { faults: { s02: [dead, dead] } });
    expect(journal.before("s01")).toEqual([{ machine: "s01", hostKey: "key of s01", traits: expect.arrayContaining(["route to default through ens3"]) }]);
    expect(journal.before("s02")).toEqual([]);
  });
});

describe("the journal", () => {
  test("tells a command that runs elsewhere from one that was killed", () => {
    expect(journal.last("s01")).toBeUndefined();
    const writing = journal.begin("s01", "up");
    expect(journal.runningElsewhere("s01")).toBeUndefined();
    expect(journal.wasKilled("s01")).toBe(false);
    writing.end(failed("failed", "no room on the disk"));
    expect(journal.last("s01")).toMatchObject({ command: "up", ok: false, problem: "no room on the disk" });
    expect(journal.wasKilled("s01")).toBe(false);
  });

  test("keeps what is known of machines that were not seen this time", () => {
    journal.keepBefore("s01", [{ machine: "s01-cp1", hostKey: "a", traits: ["old"] }, { machine: "s01-w1", hostKey: "b", traits: ["old"] }]);
    journal.keepBefore("s01", [{ machine: "s01-w1", hostKey: "c", traits: ["new"] }]);
    expect(journal.before("s01")).toEqual([{ machine: "s01-cp1", hostKey: "a", traits: ["old"] }, { machine: "s01-w1", hostKey: "c", traits: ["new"] }]);
    expect(journal.students()).toEqual(["s01"]);
    journal.forget("s01");
    expect(journal.students()).toEqual([]);
    expect(journal.before("s01")).toEqual([]);
  });
});
