import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
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
import type { StudentStatus } from "../../../classroom/status.ts";
import { bringUp, Counts } from "../../../classroom/up.ts";
import { MachineError } from "../../../machine/errors.ts";
import { thingsOf, type Fingerprint } from "../../../machine/fingerprint.ts";
import type { SshTarget } from "../../../machine/target.ts";
import { bare, fingerprintOf } from "../machine/fingerprints.ts";
import { healthy } from "../preflight/observation.ts";

const ready: Outcome = { ok: true, seconds: 61, warnings: [] };
const failed = (kind: Failure["kind"], problem = "broken"): Outcome => ({ ok: false, seconds: 5, failure: { kind, problem, details: problem } });
const dead: LookFault = { kind: "unreachable", problem: "does not answer", next: "switch it on" };

const student = (id: string, index: number): Student => ({ id, machines: [{ host: `192.0.2.${index + 1}` }], line: index + 2 });
const students = ["s01", "s02", "s03", "s04"].map(student);

let directory: string;
let journal: Journal;
let said: string[];
let noted: string[];
let screen: Screen;
/** What a machine is like. */
let fingerprint: (look: Look) => Promise<Fingerprint>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "classroom-"));
  journal = new Journal({ directory, name: "cka" });
  said = [];
  fingerprint = async ({ machine }) => fingerprintOf([...bare, `package only-on-${machine} 1 ii`]);
  noted = [];
  screen = { note: (text) => void noted.push(text), moves: () => {}, rests: ({ id }, text) => void said.push(`${id} ${text}`), close: () => {} };
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Bringing {
  readonly faults?: Record<string, (LookFault | undefined)[]>;
  readonly halt?: Halt;
  readonly parallelism?: number;
  /** Students whose machines are the class's. */
  readonly ours?: readonly string[];
  /** Host keys that machines show, where they are not `key of s01`. */
  readonly keys?: Record<string, string>;
  /** Students whose machine the roster names by a host key. */
  readonly named?: readonly string[];
  /** A student whose machine keeps one waiting. */
  /** Students whose node is not Ready, whatever the engine does. */
  readonly broken?: readonly string[];
  /** Students whose cluster was made and is broken. */
  readonly mend?: readonly string[];
  readonly silent?: { readonly id: string; readonly until: Promise<void>; begun?(other: string): void };
}

/** Brings up the class with stacks and machines that end as the test says, and tells who was begun, in order. */
async function bring(ends: Record<string, Outcome[]>, { faults = {}, halt = noHalt, parallelism = 2, ours = [], keys = {}, named = [], broken = [], mend = [], silent }: Bringing = {}) {
  const begun: string[] = [];
  let running = 0;
  let most = 0;
  const look = async (one: Student): Promise<Look[]> => {
    if (one.id === silent?.id) await silent.until;
    const fault = faults[one.id]?.shift();
    const place = { student: one, machine: one.id, host: one.machines[0]!.host, target: {} as SshTarget, owner: "p/s/c" };
    return [fault ? { ...place, fault } : { ...place, facts: { ...healthy("10.0.0.1"), owner: ours.includes(one.id) ? "p/s/c" : "" }, hostKey: keys[one.id] ?? `key of ${one.id}` }];
  };
  const stackOf = ({ id }: Student) =>
    ({
      async destroy() {
        begun.push(`${id} destroyed`);
        return ready;
      },
      async up(_onLine, _halt, mends = false) {
        begun.push(mends ? `${id} mended` : id);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        silent?.begun?.(id);
        return ends[id]?.shift() ?? ready;
      },
    }) as Partial<StudentStack> as StudentStack;
  const counts = new Counts(students.length);
  const roster = students.map((one) => (named.includes(one.id) ? { ...one, machines: one.machines.map((machine) => ({ ...machine, hostKey: "SHA256:of-the-roster" })) } : one));
  const see = async (one: Student): Promise<StudentStatus> => {
    const sick = broken.includes(one.id);
    return { student: one, state: sick ? "not-ready" : "ready", need: "nothing", prepareTo: "cluster", machines: [], nodes: 1, problems: sick ? [{ kind: "nodes-not-ready", nodes: [one.id] }] : [] };
  };
  const work = { klass: parseClass("name: cka", "class.yaml").klass!, journal, stackOf, look, fingerprint, parallelism, screen, halt, see, mend: new Set(roster.filter(({ id }) => mend.includes(id))) };
  const results = await bringUp(roster, work, counts);
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

  test("nobody is told to be ready whose node is not, whatever the engine says", async () => {
    const { results, counts } = await bring({}, { broken: ["s02"] });
    expect(results[1]).toBe("s02 failed");
    expect(said).toContain("s02 made, and not ready: node s02 is NotReady");
    expect(counts).toBe("3 ready, 0 running, 0 waiting, 1 not ready");
  });

  test("machines are looked at first where a cluster that was made is broken", async () => {
    expect((await bring({}, { mend: ["s03"] })).begun).toEqual(["s01", "s02", "s03 mended", "s04"]);
  });

  test("a machine that keeps one waiting holds up no other student", async () => {
    const { promise: until, resolve } = Promise.withResolvers<void>();
    const ended = new Set<string>();
    // It answers when all others are made: a class that waits for it would never get there.
    const begun = (id: string) => void (ended.add(id).size === 3 && resolve());
    const { results } = await bring({}, { silent: { id: "s01", until, begun } });
    expect([...ended]).toEqual(["s02", "s03", "s04", "s01"]);
    expect(results).toEqual(["s01 ready", "s02 ready", "s03 ready", "s04 ready"]);
  });

  test("notes what each machine is like before it is touched", async () => {
    await bring({ s04: [failed("failed")] }, { faults: { s02: [dead, dead] } });
    expect(journal.before("s01")).toEqual([{ machine: "s01", hostKey: "key of s01", at: expect.stringMatching(/^20.*Z$/), state: "touched" }]);
    expect(thingsOf(journal.fingerprint("s01", "s01")!).get("package\tonly-on-s01")).toBe("1 ii");
    expect(journal.before("s02")).toEqual([]);
    expect(journal.before("s04")).toMatchObject([{ state: "seen" }]);
  });

  test("notes it anew while nothing is touched, and never of a machine that is, or was, the class's", async () => {
    await bring({ s01: [failed("failed")], s02: [failed("failed")] });
    const first = journal.fingerprint("s01", "s01");
    fingerprint = async () => fingerprintOf(["package later 1 ii"]);
    // s02 was begun, s03 was made; s03 and s04 are bare again, as after a reset to bare that did not end.
    await bring({}, { ours: ["s02"] });
    expect(journal.fingerprint("s01", "s01")).not.toBe(first);
    for (const id of ["s02", "s03", "s04"]) expect(thingsOf(journal.fingerprint(id, id)!).get(`package\tonly-on-${id}`)).toBe("1 ii");
    expect(journal.before("s02")).toMatchObject([{ state: "touched" }]);
  });

  test("makes a cluster all the same where it cannot be noted, and says what that means", async () => {
    fingerprint = async () => Promise.reject(new MachineError({ machine: "s01", stage: "fingerprint", cause: "gzip: not found", next: "install it" }));
    const { results } = await bring({});
    expect(results[0]).toBe("s01 ready");
    expect(noted).toContain("s01: s01 will be made, but `classroom down` cannot compare it with now: gzip: not found");
    expect(journal.fingerprint("s01", "s01")).toBeUndefined();
    expect(journal.before("s01")).toMatchObject([{ machine: "s01", state: "touched" }]);
  });

  test("a machine that the roster names as another one by its host key is made anew, and noted anew", async () => {
    await bring({});
    const keys = { s02: "another key", s03: "another key" };
    const { begun, results } = await bring({}, { ours: ["s01", "s04"], keys, named: ["s02"] });
    expect(begun.filter((what) => /s02|destroyed/.test(what))).toEqual(["s02 destroyed", "s02"]);
    expect(results[1]).toBe("s02 ready");
    expect(noted).toContain("s02: s02 was installed anew: what is left of the old cluster is given back, and a new one is made.");
    expect(journal.hostKeys("s02")).toEqual({ s02: "another key" });
  });

  test("a machine that bears the class's mark is the same one, whichever of its keys the roster names", async () => {
    await bring({});
    const { begun } = await bring({}, { ours: ["s01", "s02", "s03", "s04"], keys: { s02: "its other key" }, named: ["s02"] });
    expect(begun).not.toContain("s02 destroyed");
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

  test("tells what a command does now, until it has ended", () => {
    const writing = journal.begin("s01", "up");
    writing.moves("kernel: loading modules");
    expect(journal.last("s01")).toMatchObject({ command: "up", doing: "kernel: loading modules" });
    writing.moves("kernel: loading modules, 12 s");
    expect(journal.last("s01")!.doing).toBe("kernel: loading modules");
    writing.end(ready);
    writing.moves("too late");
    expect(journal.last("s01")).toMatchObject({ ok: true });
    expect(journal.last("s01")!.doing).toBeUndefined();
  });

  test("keeps what is known of machines that were not seen this time", () => {
    const [old, anew] = [fingerprintOf(["package old 1 ii"]), fingerprintOf(["package new 1 ii"])];
    journal.keepBefore("s01", { machine: "s01-cp1", hostKey: "a" }, old);
    journal.keepBefore("s01", { machine: "s01-w1", hostKey: "b" }, old);
    journal.keepBefore("s01", { machine: "s01-w1", hostKey: "c" }, anew);
    expect(journal.before("s01")).toMatchObject([{ machine: "s01-cp1", hostKey: "a" }, { machine: "s01-w1", hostKey: "c" }]);
    expect([journal.fingerprint("s01", "s01-cp1"), journal.fingerprint("s01", "s01-w1")]).toEqual([old, anew]);
    for (const file of readdirSync(journal.directory)) expect(statSync(join(journal.directory, file)).mode & 0o777).toBe(0o600);
    expect(journal.students()).toEqual(["s01"]);
    journal.forget("s01");
    expect(journal.students()).toEqual([]);
    expect(readdirSync(journal.directory)).toEqual([]);
  });

  test("keeps what machines were like that were given back otherwise, and counts the student no more", () => {
    journal.note("s01", "down", ready);
    journal.keepBefore("s01", { machine: "s01", hostKey: "a" }, fingerprintOf(bare));
    journal.touched("s01");
    expect(journal.hostKeys("s01")).toEqual({ s01: "a" });
    journal.returned("s01");
    expect(journal.students()).toEqual([]);
    expect(journal.hostKeys("s01")).toEqual({});
    expect(journal.last("s01")).toBeUndefined();
    expect(journal.fingerprint("s01", "s01")).toBe(fingerprintOf(bare));
  });
});
