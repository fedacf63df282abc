import { describe, expect, test } from "vitest";
import type { Glance, Sight } from "../../../classroom/glance.ts";
import { failingPods } from "../../../classroom/pods.ts";
import { isReady, statusOf, type Told } from "../../../classroom/status.ts";
import { closingText, headingText, rowText } from "../../../classroom/status-text.ts";
import type { SshTarget } from "../../../machine/target.ts";

const student = { id: "s07", name: "홍길동", machines: [{ host: "192.0.2.107" }], line: 8 };
const now = new Date("2026-11-21T09:00:00Z");
const owner = "p/s/c";

const nothing: Told = { last: () => undefined, runningElsewhere: () => undefined, wasKilled: () => false };
const entry = { command: "up", began: "2026-11-21T08:00:00Z", pid: 1 };
const failed: Told = { ...nothing, last: () => ({ ...entry, ended: "x", ok: false, problem: "flannel did not start" }) };
const running: Told = { ...nothing, last: () => entry, runningElsewhere: () => ({ ...entry, doing: "kernel: sysctl" }) };
const killed: Told = { ...nothing, last: () => entry, wasKilled: () => true };

const bare: Sight = { owner: "", stages: [], joined: false, byHand: null, job: null, disk: { availableBytes: 12e9, sizeBytes: 20e9 }, certificates: [], cluster: null };
const ready: Sight = {
  ...bare, owner, stages: ["kernel", "names"], joined: true,
  certificates: [{ name: "ca", expires: new Date("2036-11-19T00:00:00Z") }, { name: "apiserver", expires: new Date("2027-11-21T00:00:00Z") }],
  cluster: { nodes: "s07   Ready   control-plane   5m   v1.37.1", pods: "" },
};

const at = (machine: string, more: { sight: Sight } | { fault: Glance["fault"] & {} }): Glance => ({ student, machine, host: "192.0.2.107", target: {} as SshTarget, owner, ...more });
const see = (sight: Partial<Sight>, told = nothing) => statusOf(student, [at("s07", { sight: { ...ready, ...sight } })], told, "cluster", now);
const fault = (kind: "unreachable" | "refused") => ({ kind, problem: `ops@192.0.2.107:22 ${kind}`, next: "do something" });
const nodes = (status: string) => ({ cluster: { nodes: `s07   ${status}   control-plane   5m   v1.37.1`, pods: "" } });

describe("how a student is", () => {
  test.each([
    ["ready", "nothing", see({})],
    ["ready", "nothing", see(nodes("Ready,SchedulingDisabled"))],
    ["not-ready", "act", see(nodes("NotReady"))],
    ["not-ready", "act", see(nodes("Unknown"))],
    ["not-ready", "act", see({ cluster: { nodes: "another   Ready   <none>   5m   v1.37.1", pods: "" } })],
    ["not-ready", "act", see({ cluster: { error: "The connection to the server was refused" } })],
    ["not-ready", "act", see({ cluster: null })],
    ["none", "start", see(bare)],
    ["partial", "act", see({ joined: false, cluster: null })],
    ["partial", "act", see({ owner: "p/other/c" })],
    ["partial", "act", see({}, failed)],
    ["partial", "act", see(bare, failed)],
    ["partial", "act", see({}, killed)],
    ["working", "nothing", see(nodes("NotReady"), running)],
    ["working", "nothing", see({ joined: false, job: { stage: "kernel", verb: "apply", since: "x", doing: "sysctl" } })],
    ["unreachable", "act", statusOf(student, [at("s07", { fault: fault("unreachable") })], nothing, "cluster", now)],
    ["unreachable", "act", statusOf(student, [at("s07", { fault: fault("refused") })], nothing, "cluster", now)],
    ["ready", "look", see({ cluster: { nodes: "s07   Ready   <none>   5m   v1.37.1", pods: "default web-1 0/1 CrashLoopBackOff 3 5m" } })],
    ["ready", "look", see({ disk: { availableBytes: 1e9, sizeBytes: 20e9 } })],
    ["ready", "look", see({ certificates: [{ name: "apiserver", expires: new Date("2026-11-30T00:00:00Z") }] })],
  ])("%s, and needs: %s", (state, need, status) => {
    expect([status.state, status.need]).toEqual([state, need]);
    expect(isReady(status)).toBe(state === "ready");
  });

  test("of several machines every node counts, and the one that is behind most tells how far they are", () => {
    const glances = [at("s07-cp1", { sight: { ...ready, cluster: { nodes: "s07-cp1 Ready x 5m v1\ns07-w1 NotReady x 5m v1", pods: "" } } }), at("s07-w1", { sight: { ...ready, cluster: null, disk: { availableBytes: 5e9, sizeBytes: 20e9 } } })];
    expect(statusOf(student, glances, nothing, "cluster", now)).toMatchObject({ state: "not-ready", nodes: 2, nodesReady: 1, stage: "node", disk: { machine: "s07-w1" }, problems: [{ kind: "nodes-not-ready", nodes: ["s07-w1"] }] });
    glances[1] = at("s07-w1", { sight: { ...bare, owner, stages: ["kernel", "container-runtime"] } });
    expect(statusOf(student, glances, nothing, "cluster", now)).toMatchObject({ state: "partial", stage: "container-runtime", problems: [{ kind: "unfinished", stage: "container-runtime" }] });
    glances[1] = at("s07-w1", { sight: { ...bare, owner } });
    expect(statusOf(student, glances, nothing, "cluster", now).stage).toBe("claim");
    glances[1] = at("s07-w1", { fault: fault("unreachable") });
    expect(statusOf(student, glances, nothing, "cluster", now)).toMatchObject({ state: "unreachable", nodesReady: 1, problems: [{ kind: "unreachable", machine: "s07-w1" }] });
  });

  test("what a command failed of is told once where it is what is seen now, and beside that where it is not", () => {
    const upFailed = (problem: string): Told => ({ ...nothing, last: () => ({ ...entry, ended: "x", ok: false, problem }) });
    const seenAndTold = (glanced: Glance, told: Told) => statusOf(student, [glanced], told, "cluster", now);
    const { problem } = fault("refused");
    const refused = at("s07", { fault: fault("refused") });
    for (const said of [problem, `line 8: ${problem}`, `line 8: s07-w1: ${problem}`]) expect(seenAndTold(refused, upFailed(said)).problems.map(({ kind }) => kind)).toEqual(["refused"]);
    expect(seenAndTold(refused, upFailed("line 8: ops@192.0.2.107:22 unreachable")).problems.map(({ kind }) => kind)).toEqual(["refused", "failed"]);
    expect(seenAndTold(at("s07", { sight: ready }), upFailed(problem)).problems.map(({ kind }) => kind)).toEqual(["failed"]);
  });

  test("what another cluster's machine tells is not the student's", () => {
    const { disk, certificate, nodesReady, problems } = see({ owner: "p/other/c" });
    expect([disk, certificate, nodesReady]).toEqual([undefined, undefined, undefined]);
    expect(problems).toEqual([{ kind: "foreign", machine: "s07", owner: "p/other/c" }]);
  });

  test("the certificate that ends first is told in whole days", () => {
    expect(see({}).certificate).toEqual({ machine: "s07", name: "apiserver", days: 364 });
    const ended = see({ certificates: [{ name: "apiserver", expires: new Date("2026-11-21T08:00:00Z") }], cluster: { error: "certificate has expired" } });
    expect(ended.problems.map(({ kind }) => kind)).toEqual(["certificate", "silent-cluster"]);
    expect(ended.certificate!.days).toBe(-1);
  });

  test("the command that works says what it does; a job that another computer has started, too", () => {
    expect(see({}, running).doing).toBe("kernel: sysctl");
    expect(see({ job: { stage: "kernel", verb: "apply", since: "x", doing: "setting sysctl" } }).doing).toBe("kernel apply: setting sysctl");
  });
});

describe("how a student is whose machines are only prepared", () => {
  const byHand = { role: "control-plane", version: "1.37.1", certificate: "", since: Date.parse("2026-11-21T10:12:00") / 1000, namespaces: 6, pods: 14 } as const;
  const made = "a control plane of Kubernetes 1.37.1, made 2026-11-21 10:12, 6 namespaces, 14 pods";
  const seen = (sight: Partial<Sight>, told = nothing, prepareTo: "packages" | "cluster" = "packages") => statusOf(student, [at("s07", { sight: { ...bare, ...sight } })], told, prepareTo, now);

  test("ready as soon as they are, also with a cluster that the student has made", () => {
    expect(seen({}).state).toBe("none");
    expect(seen({ owner })).toMatchObject({ state: "ready", need: "nothing" });
    const own = seen({ owner, stages: ["kernel", "kubernetes-packages"], byHand });
    expect(own).toMatchObject({ state: "ready", need: "nothing", problems: [], machines: [{ state: "by-hand", byHand: made }] });
    expect(rowText(own, { ids: ["s07"], prepareTo: "packages" })).toBe(`s07      prepared: packages  -/1    -         12.0 GB    -            홍길동  at kubernetes-packages; made by hand: ${made}`);
    expect(seen({ owner }, failed).state).toBe("partial");
  });

  test("not ready, with the way on, once the class is to have clusters", () => {
    expect(seen({ owner, byHand }, nothing, "cluster")).toMatchObject({ state: "partial", problems: [{ kind: "by-hand", machine: "s07", made }] });
  });
});

describe("pods that fail", () => {
  test.each([
    ["shop web 1/1 Running 0 5d", undefined],
    ["shop job 0/1 Completed 0 5d", undefined],
    ["shop web 0/1 Running 3 (2m ago) 5d", "0/1 Running"],
    ["shop web 0/1 Running 0 20s", undefined],
    ["shop web 0/1 CrashLoopBackOff 3 (2m ago) 20s", "CrashLoopBackOff"],
    ["shop web 0/1 ContainerCreating 0 2m59s", undefined],
    ["shop web 0/1 ContainerCreating 0 3m", "ContainerCreating"],
    ["shop web 0/2 Init:1/2 0 90s", undefined],
    ["shop web 0/2 Init:Error 0 90s", "Init:Error"],
    ["shop web 0/1 Pending 0 3d4h", "Pending"],
    ["shop web 1/1 Terminating 0 <invalid>", "Terminating"],
  ])("%s: %s", (line, reason) => expect(failingPods(line)).toEqual(reason === undefined ? [] : [{ namespace: "shop", name: "web", reason }]));

  test("none where there is nothing", () => expect(failingPods("")).toEqual([]));
});

describe("the table", () => {
  const statuses = [see({}), { ...see({ joined: false, cluster: null, certificates: [] }, running), student: { ...student, id: "s08" } }, { ...statusOf(student, [at("s07", { fault: fault("refused") })], nothing, "cluster", now), student: { ...student, id: "s09" } }];
  const table = { ids: statuses.map(({ student: { id } }) => id), prepareTo: "cluster" } as const;

  test("has a row for each that needs no other's", () => {
    expect([headingText(table), ...statuses.map((status) => rowText(status, table))]).toEqual([
      "student  cluster        nodes  pods      disk free  certificate  name  now",
      "s07      ready          1/1    run       12.0 GB    364 d        홍길동",
      "s08      working        -/1    -         12.0 GB    -            홍길동  at names; kernel: sysctl",
      "s09      NOT REACHABLE  -/1    -         -          -            홍길동",
    ]);
  });

  test("is followed by every problem with its next step, and the count of those who are ready", () => {
    expect(closingText([statuses[0]!, see(nodes("NotReady"))])).toBe(
      "s07: node s07 is NotReady\n  Next: `systemctl status kubelet` there; `classroom reset s07` makes the cluster anew\n\n1 of 2 ready.",
    );
    // The operator is told what the machine's error says, addresses and all.
    expect(closingText([statusOf(student, [at("s07-w1", { fault: fault("refused") })], nothing, "cluster", now)])).toBe("s07: s07-w1: ops@192.0.2.107:22 refused\n  Next: do something\n\n0 of 1 ready.");
  });
});
