import { describe, expect, test } from "vitest";
import { combine } from "../../../quorum/combine.ts";
import { nextStep, type Step } from "../../../quorum/next-step.ts";
import type { MachineReport } from "../../../quorum/observation.ts";
import { planOf } from "../../../quorum/plan.ts";
import { addressOf, ca, look, reportsOf, take, world, type World } from "./world.ts";

/** The stack knows the cluster, unless `known` is "new". */
const step = (truth: World, known?: "new"): Step => nextStep(look(truth), known === "new" ? undefined : ca);

/** The whole way in short: "-cp2 +cp4" is remove cp2, then join cp4; a refusal at its end is "!". */
function way(truth: World): string {
  const { steps, refused } = planOf(look(truth), ca);
  const short = steps.map(({ step: { kind, ...rest } }) => {
    if (kind === "remove" && "member" in rest) return `-${rest.member}`;
    return `${kind === "join" ? "+" : `${kind} `}${"machine" in rest ? rest.machine : ""}`;
  });
  return [...short, ...(refused ? ["!"] : [])].join(" ");
}

const refusal = (truth: World, known?: "new"): string => {
  const refused = step(truth, known);
  expect(refused.kind).toBe("refuse");
  return refused.kind === "refuse" ? `${refused.reason}. Next: ${refused.next}` : "";
};

const none = { cp2: [], cp3: [] };

describe("the first control plane", () => {
  test("is made on the first machine where there is none", () => {
    expect(step(world({}, { cp1: [], ...none }), "new")).toMatchObject({ kind: "init", machine: "cp1" });
  });

  test.each(["unfinished", "working"] as const)("is made where one was begun (%s)", (state) => {
    expect(step(world({}, { cp1: [], cp2: [state] }), "new")).toMatchObject({ kind: "init", machine: "cp2" });
  });

  test("is finished where its etcd runs already", () => {
    expect(step(world({ cp1: ["unfinished"] }, none), "new")).toMatchObject({ kind: "init", machine: "cp1" });
  });

  test("is not made on another machine before one that was begun on a machine that left is cleared", () => {
    expect(step(world({ cp1: ["unfinished", "left"] }, none), "new")).toMatchObject({ kind: "reset", machine: "cp1", wanted: false });
  });

  test("a cluster that is gone from every machine is not silently replaced by a new one", () => {
    expect(refusal(world({}, { cp1: [], ...none }))).toMatch(/gone from every.*npx pulumi-kubeadm recover.*pulumi destroy/s);
  });

  describe("that a reset has taken away and whose CA it keeps", () => {
    const kept = (keptCaCertHash: string) => combine(reportsOf(world({}, { cp1: [], ...none })).map((report) => (report.name === "cp2" ? { ...report, keptCaCertHash } : report)));

    test("is made again where the keys are", () => {
      expect(nextStep(kept(ca), ca)).toMatchObject({ kind: "init", machine: "cp2", reason: expect.stringContaining("kept its CA") });
      expect(nextStep(kept(ca), undefined)).toMatchObject({ kind: "init", machine: "cp2" });
    });

    test("is gone all the same when the keys are another cluster's", () => expect(nextStep(kept("sha256:other"), ca)).toMatchObject({ kind: "refuse", reason: expect.stringContaining("gone from every") }));
  });

  test("is not made while a machine that may hold the cluster is out of sight", () => {
    expect(refusal(world({}, { cp1: [], cp2: ["unreachable"] }), "new")).toContain("cp2 cannot be reached (timed out): the cluster may be there");
    expect(refusal(world({}, { cp1: [], cp2: ["unreachable", "left"] }), "new")).toContain("npx pulumi-kubeadm recover");
  });

  test("where one machine has the cluster, no other one is initialised (77: the first host rebuilt, others alive)", () => {
    expect(way(world({ cp1: ["empty"], cp2: [], cp3: [] }))).toBe("-cp1 +cp1");
  });
});

describe("a control plane of someone else", () => {
  test("that is not ours is never cleared", () => {
    expect(refusal(world({}, { cp1: ["foreign"] }), "new")).toContain("did not make");
  });

  test("on a machine that left is nobody's business", () => {
    expect(step(world({ cp1: [] }, { cp2: ["foreign", "left"] }))).toEqual({ kind: "nothing" });
  });

  const withCa = (truth: World, name: string, caCertHash: string): World => ({ ...truth, boxes: truth.boxes.map((box) => (box.name === name ? { ...box, caCertHash } : box)) });

  test("another CA than the known one stops everything", () => {
    expect(refusal(withCa(world({ cp1: [] }), "cp1", "sha256:b"))).toContain("cp1 runs the control plane of another cluster (its CA is not the one that this stack knows)");
  });

  test("two CAs stop everything, whatever is known", () => {
    const two = withCa(world({ cp1: [], cp2: [] }), "cp2", "sha256:b");
    expect(refusal(two, "new")).toContain("its CA is not the one that cp1 has");
    expect(refusal(two)).toContain("cp2");
  });
});

describe("what the machines do not agree on", () => {
  test("stops everything (54, 55)", () => {
    const reports = reportsOf(world({ cp1: [], cp2: [], cp3: ["left"] })).map(
      (report): MachineReport => (report.name === "cp2" ? { ...report, etcd: { ...report.etcd!, clusterId: "2" } } : report),
    );
    expect(nextStep(combine(reports), ca)).toMatchObject({ kind: "refuse", reason: expect.stringMatching(/do not agree.*not known/s) });
  });
});

describe("a control plane that is down", () => {
  test.each(["silent", "notReady"] as const)("is started, and nothing else is done meanwhile (%s)", (trait) => {
    expect(step(world({ cp1: [], cp2: [trait], cp3: [], cp4: ["left", "dead"] }))).toMatchObject({ kind: "start", machine: "cp2", wanted: true });
  });

  test("is started when it is the only one, though nobody can tell the members then", () => {
    expect(step(world({ cp1: ["silent"] }))).toMatchObject({ kind: "start", machine: "cp1" });
  });

  test("several are started one after the other", () => {
    expect(way(world({ cp1: ["silent"], cp2: ["silent"], cp3: [] }))).toBe("start cp1 start cp2");
  });

  test("one that left is started only when the quorum needs it", () => {
    expect(step(world({ cp1: [], cp2: ["left", "silent"] }))).toMatchObject({ kind: "start", machine: "cp2", wanted: false });
    expect(step(world({ cp1: [], cp2: [], cp3: ["left", "silent"] }, { cp4: [] }))).toMatchObject({ kind: "remove", member: "cp3", reachable: true });
  });

  test("one that left is started when no other control plane is in order", () => {
    expect(step(world({ cp1: ["left", "notReady"] }, { cp2: [] }))).toMatchObject({ kind: "start", machine: "cp1", wanted: false });
  });

  test("is not started in vain: no start brings the quorum back when too many are dead", () => {
    expect(refusal(world({ cp1: ["silent"], cp2: ["dead"], cp3: ["dead"], cp4: [], cp5: ["dead"] }))).toContain("no quorum");
  });

  test("an apiserver without a quorum is not the thing to start (31)", () => {
    expect(refusal(world({ cp1: ["notReady"], cp2: ["dead"], cp3: ["dead"] }))).toContain("no quorum");
  });
});

describe("moves between sizes", () => {
  test("1 -> 3 adds one at a time, each alone (21)", () => expect(way(world({ cp1: [] }, none))).toBe("+cp2 +cp3"));
  test("1 -> 5 and 3 -> 5 (22)", () => {
    expect(way(world({ cp1: [] }, { ...none, cp4: [], cp5: [] }))).toBe("+cp2 +cp3 +cp4 +cp5");
    expect(way(world({ cp1: [], cp2: [], cp3: [] }, { cp4: [], cp5: [] }))).toBe("+cp4 +cp5");
  });
  test("5 -> 3, 5 -> 1 and 3 -> 1 take out one at a time, the leader last (23)", () => {
    expect(way(world({ cp1: [], cp2: [], cp3: [], cp4: ["left", "leads"], cp5: ["left"] }))).toBe("-cp5 -cp4");
    expect(way(world({ cp1: [], cp2: ["left"], cp3: ["left"], cp4: ["left"], cp5: ["left"] }))).toBe("-cp2 -cp3 -cp4 -cp5");
    expect(way(world({ cp1: [], cp2: ["left"], cp3: ["left"] }))).toBe("-cp2 -cp3");
  });
  test("5 -> 3 with a sick keeper is refused, though the arithmetic alone would let it pass (24)", () => {
    expect(refusal(world({ cp1: [], cp2: ["dead"], cp3: [], cp4: ["left"], cp5: ["left"] }))).toMatch(/removing cp4 must wait: cp2 is sick.*5 voters, quorum 3, tolerance 2; 4 healthy/s);
  });
  test("3 -> 1 with the keeper sick is refused, and a healthy one is offered (25)", () => {
    expect(refusal(world({ cp1: ["dead"], cp2: ["left"], cp3: ["left"] }))).toMatch(/1 of 2 voters healthy, and 2 needed.*Next: bring cp1 back first; or give its place to cp/s);
  });
  test("3 -> 1 with a sick leaver takes the sick one first (25b)", () => expect(way(world({ cp1: [], cp2: ["left", "leads"], cp3: ["left", "dead"] }))).toBe("-cp3 -cp2"));
  test("an interrupted 1 -> 3 goes on at 2 (26)", () => expect(way(world({ cp1: [], cp2: [] }, { cp3: [] }))).toBe("+cp3"));
  test("an interrupted 3 -> 1 goes on at 2 (27)", () => expect(way(world({ cp1: [], cp2: ["left"] }))).toBe("-cp2"));
  test("one that turns sick between two removals stops the second: no old list is used (28)", () => {
    const before = world({ cp1: [], cp2: [], cp3: [], cp4: ["left"], cp5: ["left"] });
    const between = take(before, step(before));
    expect(step(between).kind).toBe("remove");
    const sick = { ...between, boxes: between.boxes.map((box) => (box.name === "cp2" ? { ...box, ssh: false, runs: false } : box)) };
    expect(refusal(sick)).toContain("cp2 is sick");
  });
  test("a control plane in order is left alone", () => {
    for (const truth of [world({ cp1: [] }), world({ cp1: [], cp2: [], cp3: ["leads"] })]) {
      expect(step(truth)).toEqual({ kind: "nothing" });
      expect(step(truth, "new")).toEqual({ kind: "nothing" });
    }
  });
  test("the last member is never removed (20)", () => {
    expect(refusal(world({ cp1: ["left"] }))).toContain("the last of 1 voter and cannot be removed");
  });
});

describe("a replaced machine", () => {
  test("3 with one dead: it leaves, then the new one joins (29, 30, 52)", () => {
    expect(way(world({ cp1: [], cp2: [], cp3: ["left", "dead"] }, { cp4: [] }))).toBe("-cp3 +cp4");
  });
  test("3 with two dead: no quorum, and recovery is named (31)", () => {
    expect(refusal(world({ cp1: [], cp2: ["left", "dead"], cp3: ["left", "dead"] }, { cp4: [], cp5: [] }))).toMatch(/no quorum: 0 of 3 voters healthy, and 2 needed.*bring cp2 or cp3 back.*npx pulumi-kubeadm recover/s);
  });
  test("5 with two dead: both leave before the first joins (32)", () => {
    expect(way(world({ cp1: [], cp2: [], cp3: [], cp4: ["left", "dead"], cp5: ["left", "dead"] }, { cp6: [], cp7: [] }))).toBe("-cp4 -cp5 +cp6 +cp7");
  });
  test("5 with three dead: no quorum (33)", () => {
    expect(refusal(world({ cp1: [], cp2: [], cp3: ["left", "dead"], cp4: ["left", "dead"], cp5: ["left", "dead"] }))).toContain("no quorum");
  });
  test("the single member dead: no cluster is seen, and none is made (34)", () => {
    expect(refusal(world({ cp1: ["left", "dead"] }, { cp2: [] }))).toMatch(/cp1 cannot be reached.*npx pulumi-kubeadm recover/s);
  });
  test("the first of the list is as any other (35)", () => {
    expect(way(world({ cp1: ["left", "dead"], cp2: [], cp3: [] }, { cp4: [] }))).toBe("-cp1 +cp4");
  });
  test("a healthy one leaves first, and never are there more than wanted; the leader hands over (36, 60)", () => {
    const truth = world({ cp1: [], cp2: ["left", "leads"], cp3: [] }, { cp4: [] });
    expect(way(truth)).toBe("-cp2 +cp4");
    expect(step(truth)).toMatchObject({ kind: "remove", leaderTo: "c1", reachable: true });
  });
  test("a single one waits for its successor: 1 -> 2 -> 1", () => expect(way(world({ cp1: ["left"] }, { cp2: [] }))).toBe("+cp2 -cp1"));
  test("with the old one's name and address, the old member goes by its id first (37)", () => {
    const old = world({ cp1: [], cp2: ["left", "dead"], cp3: [] });
    const truth = { ...old, boxes: [...old.boxes, { ...old.boxes.find(({ name }) => name === "cp2")!, wanted: true, ssh: true, state: "none" as const, memberId: undefined }] };
    expect(step(truth)).toMatchObject({ kind: "remove", memberId: "c2", machine: "cp2", wanted: false, reachable: false });
    expect(way(truth)).toBe("-cp2 +cp2");
  });
  test("with the old one's name at a new address, while the old one lives, is told apart from it", () => {
    const old = world({ cp1: [], cp2: ["left"], cp3: [] });
    const truth = { ...old, boxes: [...old.boxes, { ...old.boxes.find(({ name }) => name === "cp2")!, address: "10.0.0.99", wanted: true, state: "none" as const, memberId: undefined, runs: false }] };
    const removed = take(truth, step(truth));
    expect(removed.boxes.find(({ name, wanted }) => name === "cp2" && !wanted)?.state).toBe("none");
    expect(way(truth)).toBe("-cp2 +cp2");
  });
  test("two in one go are replaced one after the other (38)", () => {
    expect(way(world({ cp1: [], cp2: ["left"], cp3: ["left"] }, { cp4: [], cp5: [] }))).toBe("-cp2 +cp4 -cp3 +cp5");
  });
  test("all three are replaced without ever being more than three", () => {
    expect(way(world({ cp1: ["left", "leads"], cp2: ["left"], cp3: ["left"] }, { cp4: [], cp5: [], cp6: [] }))).toBe("-cp2 +cp4 -cp3 +cp5 -cp1 +cp6");
  });
  test("replaced and grown at once", () => {
    expect(way(world({ cp1: ["left"] }, { cp4: [], cp5: [], cp6: [] }))).toBe("+cp4 +cp5 -cp1 +cp6");
    expect(way(world({ cp1: [], cp2: ["left"], cp3: [] }, { cp4: [], cp5: [], cp6: [] }))).toBe("+cp4 +cp5 -cp2 +cp6");
  });
  test("a machine under a new name leaves under the old one first", () => {
    const old = world({ cp1: [], cp2: ["left"], cp3: [] });
    const same = old.boxes.find(({ name }) => name === "cp2")!;
    const truth = { ...old, boxes: [...old.boxes.slice(0, 2), { ...same, name: "cp9", wanted: true }, same] };
    expect(step(truth)).toMatchObject({ kind: "remove", member: "cp2", machine: "cp2", wanted: false });
  });
  test("a single machine cannot be renamed: it would join the cluster that lives on it", () => {
    const old = world({ cp1: ["left"] });
    const truth = { ...old, boxes: [{ ...old.boxes[0]!, name: "cp9", wanted: true }, old.boxes[0]!] };
    expect(refusal(truth)).toContain("earlier name");
  });
  test("none begins while the new machine cannot be reached: the way would end at 2", () => {
    expect(refusal(world({ cp1: [], cp2: ["left"], cp3: [] }, { cp4: ["unreachable"] }))).toMatch(/removing cp2 must wait: cp4 cannot be reached.*even number/s);
    expect(refusal(world({ cp1: [] }, { cp2: [], cp3: ["unreachable"] }))).toContain("joining cp2 must wait: cp3 cannot be reached");
  });
});

describe("learners and half-done joins", () => {
  const learner = { cp1: [], cp2: [], cp3: [] };
  test("no voter is removed and none added beside a learner (39, 40)", () => {
    expect(step(world({ cp1: [], cp2: [], cp3: ["left"], cp4: ["learner", "unfinished"] }, { cp5: [] }))).toMatchObject({ kind: "remove", member: "cp4", learner: true });
  });
  test("the join that runs is waited for (48, 59, 68)", () => {
    expect(step(world({ ...learner, cp4: ["learner", "working"] }, { cp5: [] }))).toMatchObject({ kind: "join", machine: "cp4", running: true });
    expect(step(world({ ...learner, cp4: ["left", "dead"] }, { cp5: ["working"] }))).toMatchObject({ kind: "join", machine: "cp5", running: true });
  });
  test.each(["unfinished", "empty", "silent"] as const)("the stale learner of a failed join goes, then the machine joins anew (41, %s)", (trait) => {
    expect(way(world({ cp1: [], cp2: [], cp3: ["learner", trait] }))).toBe("-cp3 +cp3");
  });
  test("the stale learner of a wanted machine says whose it is", () => {
    expect(step(world({ cp1: [], cp2: [], cp3: ["learner", "unfinished"] }))).toMatchObject({ machine: "cp3", wanted: true, reachable: true });
  });
  test("a member that has not started is a learner and sick, and only its removal is allowed (42)", () => {
    expect(step(world({ ...learner, cp4: ["nameless", "empty"] }, { cp5: [] }))).toMatchObject({ kind: "remove", memberId: "c4", member: "c4" });
  });
  test("two members that have not started are refused, and told apart by id (43)", () => {
    expect(refusal(world({ ...learner, cp4: ["nameless", "empty"], cp5: ["nameless", "empty", "learner"] }))).toMatch(/c4 \(without a name\) and c5 \(without a name\).*member remove c4.*member remove c5/s);
  });
  test("a learner whose machine is hidden from SSH while others reach it is not taken out", () => {
    expect(refusal(world({ cp1: [], cp2: [], cp3: ["learner", "noSsh"] }))).toContain("cp3 is not dead");
  });
  test("files on a machine do not make it a member: it is cleared, and joins (44, 46)", () => {
    for (const state of ["unfinished", "member", "stale"] as const) expect(way(world({ cp1: [], cp2: [] }, { cp3: [state] })), state).toBe("reset cp3 +cp3");
  });
  test("a finished control plane is cleared only where the list has a quorum", () => {
    expect(refusal(world({ cp1: [], cp2: ["dead"], cp4: ["dead"] }, { cp3: ["stale"] }))).toMatch(/do not agree|no quorum/);
  });
  test("a voter whose join did not end counts as a voter, and joins anew (47)", () => {
    expect(way(world({ cp1: [], cp2: [], cp3: ["unfinished"] }))).toBe("-cp3 +cp3");
    expect(step(world({ cp1: [], cp2: [], cp3: ["unfinished"] }))).toMatchObject({ machine: "cp3", wanted: true, reachable: true, learner: false });
  });
  test("a member of no known machine is removed when it is dead, one per step (49)", () => {
    const truth = world({ cp1: [], cp2: [], cp3: [], cp4: ["left", "dead"] });
    const orphan = { ...truth, boxes: truth.boxes.filter(({ name }) => name !== "cp4") };
    expect(step(orphan)).toMatchObject({ kind: "remove", member: "cp4", reachable: false, wanted: false });
    expect(step(orphan)).not.toHaveProperty("machine");
  });
  test("a member of no known machine that answers is not touched, and it is said what to do", () => {
    const reports = reportsOf(world({ cp1: [], cp2: [], cp3: [], cp4: ["left", "noSsh"] })).filter(({ name }) => name !== "cp4");
    expect(nextStep(combine(reports), ca)).toMatchObject({ kind: "refuse", reason: expect.stringContaining("cp4 (c4, https://10.0.0.4:2380) answers"), next: expect.stringContaining("etcdctl member remove c4") });
  });
});

describe("health and identity", () => {
  test("a wanted member that misses one look is not removed (50)", () => {
    expect(step(world({ cp1: [], cp2: ["silent"], cp3: [] })).kind).toBe("start");
    expect(refusal(world({ cp1: [], cp2: ["dead"], cp3: [] }))).toContain("cp2 cannot be reached");
  });
  test("a leaver hidden from SSH that others reach is not dead (51)", () => {
    expect(refusal(world({ cp1: [], cp2: [], cp3: ["left", "noSsh"] }, { cp4: [] }))).toMatch(/cp3 is not dead and must not be taken out.*switch it off/s);
  });
  test("such a leaver stops the way before it begins, but does not hold it at an even number", () => {
    expect(refusal(world({ cp1: [], cp2: ["left"], cp3: ["left", "noSsh"] }))).toContain("cp3 is not dead");
    expect(way(world({ cp1: [], cp2: [], cp3: ["left"], cp4: ["left", "noSsh"] }))).toBe("-cp3 !");
  });
  test("unknown is unhealthy: no other may leave (53)", () => {
    expect(refusal(world({ cp1: [], cp2: ["dead"], cp3: ["left"] }))).toContain("1 of 2 voters healthy");
  });
  test("a keeper that is healthy but hidden from SSH stops healthy members from leaving, and others from joining", () => {
    expect(refusal(world({ cp1: ["noSsh"], cp2: ["left"], cp3: ["left"] }))).toContain("cp1 stays, and cannot be looked at over SSH");
    expect(refusal(world({ cp1: ["noSsh"], cp2: [], cp3: [] }, { cp4: [], cp5: [] }))).toContain("joining cp4 must wait: cp1 stays");
  });
  test("a wanted machine that cannot be reached is named at the end", () => {
    expect(refusal(world({ cp1: [], cp2: ["noSsh"], cp3: [] }))).toContain("cp2 cannot be reached (timed out); its etcd answers the other members");
  });
  test("node1 goes, and node10 stays (56)", () => {
    const truth = world({ node1: ["left"], node10: [], node2: [], node3: [] });
    expect(step(truth)).toMatchObject({ kind: "remove", member: "node1", memberId: "c1" });
  });
  test("an alarm makes its member sick, and is named (57)", () => {
    expect(refusal(world({ cp1: [], cp2: ["alarm"], cp3: [], cp4: ["left"] }, { cp5: [] }))).toMatch(/cp2 is sick.*cp2 alarm NOSPACE/s);
    expect(refusal(world({ cp1: ["alarm"] }))).toContain("etcdctl alarm disarm");
  });
  test("the last control plane in order does not leave (58)", () => {
    expect(refusal(world({ cp1: ["noSsh"], cp2: ["left"] }))).toContain("removing cp2 must wait: cp1 stays");
    expect(step(world({ cp1: ["left", "notReady"], cp2: ["left"], cp3: ["left"] }, { cp4: [] }))).toMatchObject({ kind: "remove", member: "cp1" });
  });
  test("a dead one does not leave either while no control plane is in order (58)", () => {
    const truth = world({ cp1: ["noSsh"], cp2: ["left", "unfinished"], cp3: ["left", "dead"] });
    expect(refusal(truth)).toContain("removing cp3 must wait: no other control plane is fully in order");
  });
  test("nothing joins while one is sick (17)", () => {
    expect(refusal(world({ cp1: [], cp2: ["dead"], cp3: [] }, { cp4: [], cp5: [] }))).toContain("joining cp4 would leave 2 of 4 voters healthy, and 3 needed");
    expect(refusal(world({ cp1: [], cp2: ["dead"], cp3: [], cp4: [] }, { cp5: [] }))).toContain("joining cp5 must wait: cp2 is sick");
  });
});

describe("a machine that left", () => {
  test.each(["member", "unfinished", "stale"] as const)("and is no member gives back what it holds, last of all (%s)", (state) => {
    expect(way(world({ cp1: [], cp2: [] }, { cp3: [], cp4: [state, "left"] }))).toBe("+cp3 reset cp4");
  });
  test("and still runs a join is waited for, and leaves as the voter that it has become", () => {
    expect(way(world({ cp1: [], cp2: [] }, { cp3: [], cp4: ["working", "left"] }))).toBe("+cp4 -cp4 +cp3");
  });
  test("and cannot be reached and is no member is not waited for", () => {
    expect(step(world({ cp1: [] }, { cp2: ["left", "unreachable"] }))).toEqual({ kind: "nothing" });
  });
  test("and is the same machine as a wanted member is not reset", () => {
    const truth = world({ cp2: [] });
    const before = { ...truth.boxes[0]!, name: "cp9", wanted: false, address: addressOf("cp9") };
    expect(step({ ...truth, boxes: [...truth.boxes, before] })).toEqual({ kind: "nothing" });
  });
});

describe("no quorum", () => {
  test("a tie is none (82, 11, 13, 14)", () => {
    expect(refusal(world({ cp1: [], cp2: [], cp3: ["dead"], cp4: ["left", "dead"] }))).toMatch(/no quorum.*4 voters, quorum 3, tolerance 1/s);
    expect(refusal(world({ cp1: [], cp2: ["left", "dead"] }))).toMatch(/no quorum.*2 voters, quorum 2, tolerance 0/s);
  });
  test("of members that answer without a leader, the network is to be looked at and nothing to be recovered", () => {
    const reports = reportsOf(world({ cp1: [], cp2: [], cp3: [] })).map(
      (report): MachineReport => ({ ...report, etcd: { ...report.etcd!, statuses: report.etcd!.statuses.map((one) => ({ ...one, leader: "0" })) } }),
    );
    expect(nextStep(combine(reports), ca)).toMatchObject({ kind: "refuse", next: expect.stringContaining("2380/tcp") });
  });
});
