import { describe, expect, test } from "vitest";
import type { Look } from "../../../classroom/look.ts";
import { parallelStudents } from "../../../classroom/parallelism.ts";
import { screenOn } from "../../../classroom/screen.ts";
import { statusOf } from "../../../classroom/status.ts";
import { tableText } from "../../../classroom/table.ts";
import type { MachineFacts } from "../../../machine/preflight/facts.ts";
import type { SshTarget } from "../../../machine/target.ts";
import { healthy } from "../preflight/observation.ts";

const student = { id: "s07", name: "홍길동", machines: [{ host: "192.0.2.107" }], line: 8 };

describe("how many students at the same time", () => {
  const gigabyte = 2 ** 30;
  test("as many as have memory", () => {
    expect(parallelStudents({ freeMemory: 4 * gigabyte, processors: 8 })).toEqual({ students: 7, reason: expect.stringMatching(/^4096 MB of memory are free and one takes \d+$/) });
  });
  test("no more than the processors can start", () => {
    expect(parallelStudents({ freeMemory: 64 * gigabyte, processors: 2 }).students).toBe(16);
  });
  test("one at least", () => {
    expect(parallelStudents({ freeMemory: 0, processors: 1 }).students).toBe(1);
  });
});

describe("how a student is", () => {
  const nothing = { last: () => undefined, runningElsewhere: () => undefined, wasKilled: () => false };
  const entry = { command: "up", began: "2026-11-21T08:00:00Z", pid: 1 };
  const seen = (more: Partial<Look> & { facts?: MachineFacts }): Look => ({ student, machine: "s07", host: "192.0.2.107", target: {} as SshTarget, owner: "p/s/c", ...more });
  const with_ = (facts: Partial<MachineFacts>) => seen({ facts: { ...healthy("10.0.0.11"), ...facts } });

  test.each([
    ["none", with_({}), nothing],
    ["partial", with_({ owner: "p/s/c" }), nothing],
    ["ready", with_({ owner: "p/s/c", joined: true }), nothing],
    ["partial", with_({ owner: "p/s/c", joined: true }), { ...nothing, last: () => ({ ...entry, ended: "x", ok: false, problem: "flannel did not start" }) }],
    ["partial", with_({ owner: "p/s/c", joined: true }), { ...nothing, last: () => entry, wasKilled: () => true }],
    ["working", with_({ owner: "p/s/c" }), { ...nothing, last: () => entry, runningElsewhere: () => entry }],
    ["partial", with_({ owner: "p/other/c" }), nothing],
    ["unreachable", seen({ fault: { kind: "unreachable", problem: "does not answer", next: "switch it on" } }), nothing],
    ["unreachable", seen({ fault: { kind: "refused", problem: "refused every key", next: "put it there" } }), nothing],
  ])("%s", (state, look, journal) => expect(statusOf(student, [look], journal, "cluster").state).toBe(state));

  test("is told with the first problem and what to do about it", () => {
    const { problem, next } = statusOf(student, [seen({ fault: { kind: "unreachable", problem: "does not answer", next: "switch it on" } })], nothing, "cluster");
    expect([problem, next]).toEqual(["does not answer", "switch it on"]);
    expect(statusOf(student, [with_({ owner: "p/s/c" })], { ...nothing, last: () => entry, wasKilled: () => true }, "cluster").problem).toBe("`classroom up` was killed");
    expect(statusOf(student, [with_({ owner: "p/other/c" })], nothing, "cluster").problem).toBe("s07 belongs to p/other/c");
  });
});

describe("how a student is whose machines are only prepared", () => {
  const nothing = { last: () => undefined, runningElsewhere: () => undefined, wasKilled: () => false };
  const byHand = { role: "control-plane", version: "1.37.1", certificate: "", since: Date.parse("2026-11-21T10:12:00") / 1000, namespaces: 6, pods: 14 } as const;
  const seen = (facts: Partial<MachineFacts>): Look => ({ student, machine: "s07", host: "192.0.2.107", target: {} as SshTarget, owner: "p/s/c", facts: { ...healthy("10.0.0.11"), ...facts } });

  test("ready as soon as they are, also with a cluster that the student has made", () => {
    expect(statusOf(student, [seen({})], nothing, "packages").state).toBe("none");
    expect(statusOf(student, [seen({ owner: "p/s/c" })], nothing, "packages").state).toBe("ready");
    expect(statusOf(student, [seen({ owner: "p/s/c", byHand })], nothing, "packages")).toMatchObject({
      state: "ready",
      machines: [{ state: "by-hand", byHand: "a control plane of Kubernetes 1.37.1, made 2026-11-21 10:12, 6 namespaces, 14 pods" }],
    });
    expect(statusOf(student, [seen({ owner: "p/s/c" })], { ...nothing, last: () => ({ command: "up", began: "x", ended: "y", pid: 1, ok: false, problem: "apt" }) }, "packages").state).toBe("partial");
  });

  test("not ready, with the way on, once the class is to have clusters", () => {
    const { state, problem, next } = statusOf(student, [seen({ owner: "p/s/c", byHand })], nothing, "cluster");
    expect(state).toBe("partial");
    expect(problem).toMatch(/^s07: somebody has made a cluster on it by hand: a control plane/);
    expect(next).toContain("`classroom reset s07`");
  });
});

describe("what is shown", () => {
  test("a table in which Hangul takes two columns", () => {
    expect(tableText(["student", "name", "cluster"], [["s01", "홍길동", "ready"], ["s02", "Kim", "NOT READY"]])).toBe(
      ["student  name    cluster", "s01      홍길동  ready", "s02      Kim     NOT READY"].join("\n"),
    );
  });

  test("where there is no terminal, a line for each part of the work and no more", () => {
    const written: string[] = [];
    const screen = screenOn({ isTTY: false, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream, () => "");
    for (const text of ["kernel", "kernel: sysctl", "container-runtime", "container-runtime: downloading, 1 s", "container-runtime: downloading, 2 s"]) screen.moves(student, text);
    screen.rests(student, "ready after 1:02");
    expect(written).toEqual(["s07 홍길동  kernel\n", "s07 홍길동  container-runtime\n", "s07 홍길동  ready after 1:02\n"]);
  });

  test("on a terminal, one line for each student that moves, cut to its width", () => {
    const written: string[] = [];
    const stream = { isTTY: true, columns: 30, rows: 24, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const screen = screenOn(stream, () => "1 running");
    screen.moves(student, "container-runtime: installing containerd.io from the mirror");
    screen.rests({ ...student, id: "s08" }, "ready after 1:02");
    screen.close();
    const text = written.join("");
    expect(text).toContain("s08 홍길동  ready after 1:02");
    expect(text).toMatch(/0:00 {2}s07 홍길동 {2}container-…/);
    expect(text).toContain("0:00  1 running");
  });
});
