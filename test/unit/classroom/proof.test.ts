import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { noHalt } from "../../../classroom/halt.ts";
import { isAsBefore, isGivenBack, takeDown, type DownResult } from "../../../classroom/down.ts";
import { Journal } from "../../../classroom/journal.ts";
import type { Look } from "../../../classroom/look.ts";
import { foundBefore, mergedReport, readReport, writeReport } from "../../../classroom/report.ts";
import type { Student } from "../../../classroom/roster.ts";
import type { Outcome, StudentStack } from "../../../classroom/stacks.ts";
import { MachineError } from "../../../machine/errors.ts";
import type { MachineFacts } from "../../../machine/preflight/facts.ts";
import type { SshTarget } from "../../../machine/target.ts";
import { bare, fingerprintOf } from "../machine/fingerprints.ts";
import { healthy } from "../preflight/observation.ts";

const student: Student = { id: "s07", name: "홍길동 <b>", machines: [{ host: "192.0.2.107" }], line: 8 };
const done: Outcome = { ok: true, seconds: 1, warnings: [] };

let directory: string;
let journal: Journal;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "classroom-"));
  journal = new Journal({ directory, name: "cka" });
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Machine {
  /** What it is like now. */
  readonly now?: readonly string[] | Error;
  readonly facts?: Partial<MachineFacts>;
  readonly hostKey?: string;
  readonly fault?: Look["fault"];
  readonly outcome?: Outcome;
}

/** Gives back the machine of a class that has left it so, and writes the report. */
async function down({ now = bare, facts, hostKey = "key", fault, outcome = done }: Machine = {}): Promise<DownResult> {
  const place = { student, machine: "s07", host: "192.0.2.107", target: { name: "s07", host: "192.0.2.107", port: 22 } as SshTarget, owner: "p/s/c" };
  const look: Look = fault ? { ...place, fault } : { ...place, hostKey, facts: { ...healthy("10.0.0.11"), ...facts } };
  const stack: Partial<StudentStack> = { exists: () => false, destroy: async () => outcome };
  const fingerprint = async () => (now instanceof Error ? Promise.reject(now) : fingerprintOf(now as readonly string[]));
  const screen = { note: () => {}, moves: () => {}, rests: () => {}, close: () => {} };
  const report = readReport(journal.directory);
  const work = { journal, stackOf: () => stack as StudentStack, look: async () => [look], fingerprint, foundBefore: (seen: Look) => foundBefore(report, seen), parallelism: 1, screen, halt: noHalt };
  const [result] = await takeDown([student], work);
  writeReport(journal.directory, "cka", [result!]);
  return result!;
}

/** A machine that does not answer. */
const dead: Machine = { fault: { kind: "unreachable", problem: "does not answer", next: "switch it on" } };

/** The class was on the machine, and this is what it was like before. */
function made(before: readonly string[] | null = bare): void {
  journal.keepBefore("s07", { machine: "s07", hostKey: "key" }, before ? fingerprintOf(before) : undefined);
  journal.touched("s07");
}

describe("the proof that a machine is as it was", () => {
  test("nothing differs: as before, and what was kept of before is forgotten", async () => {
    made();
    const result = await down();
    expect(result.machines).toMatchObject([{ verdict: "as-before", findings: [], left: [], comparedWith: expect.any(String), excused: {} }]);
    expect(isAsBefore(result)).toBe(true);
    expect(journal.before("s07")).toEqual([]);
  });

  test("what differs is told, whose it is, and what a student has at home is no difference", async () => {
    made();
    const lines = ["file /etc/cni d 755 root:root", "package jq 1.7 ii", "home /home/ops/lesson d 755 ops:ops", "home /home/ops/lesson/a.yaml f 644 ops:ops"];
    const result = await down({ now: [...bare, ...lines] });
    expect(result.machines).toMatchObject([
      {
        verdict: "differs",
        findings: ["of a cluster: new file: /etc/cni/", "not of a cluster: new package: jq 1.7"],
        left: ["new file in a home directory: /home/ops/lesson/ with 1 more below"],
        next: "put it right by hand and run `classroom down s07` again, or leave it so",
      },
    ]);
    expect([isGivenBack(result), isAsBefore(result)]).toEqual([true, false]);
    expect(journal.students()).toEqual([]);

    const corrected = await down({ now: [...bare, ...lines.slice(2)] });
    expect(corrected.machines).toMatchObject([{ verdict: "as-before", left: [expect.stringContaining("/home/ops/lesson/")] }]);
    expect(journal.before("s07")).toEqual([]);
  });

  test("what is excused is counted by its reason", async () => {
    made();
    const { machines } = await down({ now: [...bare, "module vxlan", "module br_netfilter"] });
    expect(machines[0]!.excused).toEqual({ "a module that was loaded stays until the next start": 2 });
  });

  test.each([
    ["nobody looked before", null, "key"],
    ["it was installed anew", bare, "another key"],
  ])("%s: only what a cluster leaves behind can be told", async (_, before, hostKey) => {
    made(before);
    expect((await down({ hostKey, facts: { software: ["docker"] } })).machines).toMatchObject([{ verdict: "clean", findings: [] }]);
    made(before);
    expect((await down({ hostKey, facts: { cluster: ["/etc/kubernetes/admin.conf"] } })).machines).toMatchObject([
      { verdict: "differs", findings: ["of a cluster: there is /etc/kubernetes/admin.conf"] },
    ]);
  });

  test("a machine that cannot be compared is not proven, and can be looked at again", async () => {
    made();
    const result = await down({ now: new MachineError({ machine: "s07", stage: "fingerprint", cause: "no space left on device", next: "free some" }) });
    expect(result.machines).toMatchObject([{ verdict: "unproven", findings: ["it is given back, and cannot be compared with before: no space left on device"] }]);
    expect(isAsBefore(result)).toBe(false);
    expect((await down()).machines).toMatchObject([{ verdict: "as-before" }]);
  });

  test("one that does not answer, or still belongs to the class, is not given back, and nothing of it is forgotten", async () => {
    made();
    expect((await down(dead)).machines).toMatchObject([{ verdict: "not-given-back" }]);
    expect((await down({ facts: { owner: "p/s/c" }, outcome: { ok: false, seconds: 1, failure: { kind: "failed", problem: "x", details: "" } } })).machines).toMatchObject([
      { verdict: "not-given-back", findings: ["it still belongs to p/s/c"] },
    ]);
    expect(journal.students()).toEqual(["s07"]);
  });

  test("one on which the class never was is untouched", async () => {
    expect((await down()).machines).toMatchObject([{ verdict: "untouched" }]);
    expect((await down()).machines).toEqual([{ machine: "s07", host: "192.0.2.107", verdict: "untouched", findings: [], left: [] }]);
  });
});

describe("a machine that was given back in an earlier run", () => {
  test.each([["still answers", {}], ["does not answer any more", dead]])("keeps its proof with its time when it %s", async (_, now) => {
    made();
    const [proof] = (await down()).machines;
    const { machines: [entry] } = readReport(journal.directory)!;
    const again = await down(now);
    expect(again.machines).toEqual([{ ...proof, at: entry!.at }]);
    expect([isGivenBack(again), isAsBefore(again)]).toEqual([true, true]);
    expect(readReport(journal.directory)!.machines).toEqual([entry]);
  });

  test("differs still when it does not answer any more, and is compared again when it does", async () => {
    made();
    await down({ now: [...bare, "package jq 1.7 ii"] });
    const off = await down(dead);
    expect(off.machines).toMatchObject([{ verdict: "differs", findings: ["not of a cluster: new package: jq 1.7"], at: expect.any(String) }]);
    expect([isGivenBack(off), isAsBefore(off)]).toEqual([true, false]);
    const [corrected] = (await down()).machines;
    expect(corrected).toMatchObject({ verdict: "as-before" });
    expect(corrected!.at).toBeUndefined();
  });

  test("has no proof any more once the class was on it again", async () => {
    made();
    await down();
    made();
    expect((await down(dead)).machines).toMatchObject([{ verdict: "not-given-back", findings: ["does not answer"] }]);
  });

  test("is another one when the roster has another address", () => {
    const report = mergedReport("cka", [{ student, outcome: done, machines: [{ machine: "s07", host: "192.0.2.107", verdict: "as-before", findings: [], left: [] }] }], undefined, new Date());
    expect(foundBefore(report, { student, machine: "s07", host: "192.0.2.108" })).toBeUndefined();
  });
});

test("a machine that was not given back stays so while it does not answer, also when the report is all that tells of it", async () => {
  made();
  await down(dead);
  journal.forget("s07");
  expect((await down(dead)).machines).toMatchObject([{ verdict: "not-given-back" }]);
  expect((await down()).machines).toMatchObject([{ verdict: "clean" }]);
});

describe("the report of a class", () => {
  const result = (verdict: DownResult["machines"][number]["verdict"], more: object = {}): DownResult => ({
    student,
    outcome: done,
    machines: [{ machine: "s07", host: "192.0.2.107", verdict, findings: [], left: [], ...more }],
  });
  const at = (hour: number) => new Date(Date.UTC(2026, 11, 4, hour));

  test("is a page and JSON for the operator only, with nothing in it that a browser would run", () => {
    const findings = ["of a cluster: new file: /etc/<script>alert(1)</script>"];
    const page = writeReport(journal.directory, "cka", [result("differs", { findings, left: ["new file in a home directory: /home/ops/a"], comparedWith: at(8).toISOString(), excused: { "a module": 2 } })], at(18));
    const html = readFileSync(page, "utf8");
    expect(html).toContain("DIFFERS");
    expect(html).toContain("홍길동 &lt;b&gt;");
    expect(html).toContain("of a cluster: new file: /etc/&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).toContain("left by the student: new file in a home directory: /home/ops/a");
    expect(html).toContain("<li>a module <small>(2)</small>");
    expect(html).not.toMatch(/<script|https?:\/\//);
    const json = page.replace(/html$/, "json");
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ class: "cka", machines: [{ student: "s07", machine: "s07", verdict: "differs", findings, at: "2026-12-04T18:00:00.000Z" }] });
    for (const file of [page, json]) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("goes on from the one before: others stay, and so does what was found before", () => {
    const other = { ...result("as-before"), student: { ...student, id: "s01" } };
    const first = mergedReport("cka", [result("not-given-back"), other], undefined, at(18));
    const second = mergedReport("cka", [result("as-before")], first, at(19));
    expect(second.machines.map(({ student: id, verdict, at: when }) => [id, verdict, when.slice(11, 13)])).toEqual([["s01", "as-before", "18"], ["s07", "as-before", "19"]]);
    const third = mergedReport("cka", [{ ...other, machines: [foundBefore(second, { student: other.student, machine: "s07", host: "192.0.2.107" })!] }], second, at(20));
    expect(third.machines).toEqual(second.machines);
    const stopped: DownResult = { ...result("not-given-back"), outcome: { ok: false, seconds: 0, failure: { kind: "stopped", problem: "stopped", details: "" } } };
    expect(mergedReport("cka", [stopped], second, at(21)).machines).toEqual(second.machines);
  });
});
