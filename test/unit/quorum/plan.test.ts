import { describe, expect, test } from "vitest";
import { combine } from "../../../quorum/combine.ts";
import { planOf, planText } from "../../../quorum/plan.ts";
import { addressOf, ca, look, reportsOf, world, type World } from "./world.ts";

const printed = (truth: World): string => planText(planOf(look(truth), ca)).join("\n");

describe("what preview prints", () => {
  test("nothing where there is nothing to do", () => expect(printed(world({ cp1: [], cp2: [], cp3: [] }))).toBe(""));

  test("the first control plane of a new cluster", () => {
    expect(planText(planOf(look(world({}, { cp1: [], cp2: [], cp3: [] })), undefined)).join("\n")).toMatchInlineSnapshot(`
      "control plane 0 -> 3: no etcd member is seen
        1. make the first control plane on cp1   voters 0 -> 1
        2. snapshot first, then join cp2         voters 1 -> 2   quorum 1 -> 2   tolerance 0 -> 0   (tolerance 0 while at 2)
        3. snapshot first, then join cp3         voters 2 -> 3   quorum 2 -> 2   tolerance 0 -> 1"
    `);
  });

  test("growth 1 -> 3", () => expect(printed(world({ cp1: [] }, { cp2: [], cp3: [] }))).toMatchInlineSnapshot(`
    "control plane 1 -> 3: etcd 3.6.8, cp1 leads, all healthy
      1. snapshot first, then join cp2   voters 1 -> 2   quorum 1 -> 2   tolerance 0 -> 0   (tolerance 0 while at 2)
      2. snapshot first, then join cp3   voters 2 -> 3   quorum 2 -> 2   tolerance 0 -> 1"
  `));

  test("growth 3 -> 5", () => expect(printed(world({ cp1: [], cp2: ["leads"], cp3: [] }, { cp4: [], cp5: [] }))).toMatchInlineSnapshot(`
    "control plane 3 -> 5: etcd 3.6.8, cp2 leads, all healthy
      1. snapshot first, then join cp4   voters 3 -> 4   quorum 2 -> 3   tolerance 1 -> 1
      2. snapshot first, then join cp5   voters 4 -> 5   quorum 3 -> 3   tolerance 1 -> 2"
  `));

  test("shrink 3 -> 1", () => expect(printed(world({ cp1: [], cp2: ["left", "leads"], cp3: ["left"] }))).toMatchInlineSnapshot(`
    "control plane 3 -> 1: etcd 3.6.8, cp2 leads, all healthy
      1. snapshot first, then remove cp3                    voters 3 -> 2   quorum 2 -> 2   tolerance 1 -> 0   (tolerance 0 while at 2)
      2. snapshot first, then let cp1 lead and remove cp2   voters 2 -> 1   quorum 2 -> 1   tolerance 0 -> 0"
  `));

  test("a shrink that is refused, because the keeper is sick", () => {
    expect(printed(world({ cp1: ["dead"], cp2: ["left"], cp3: ["left"] }))).toMatchInlineSnapshot(`
      "control plane 3 -> 1: etcd 3.6.8, cp2 leads, sick: cp1 does not answer (SSH: timed out)
        REFUSED: removing cp3 would leave 1 of 2 voters healthy, and 2 needed (3 voters, quorum 2, tolerance 1; 2 healthy; sick: cp1 does not answer (SSH: timed out))
        next: bring cp1 back first; or give its place to cp3 in the settings: a sick member may leave while there is a quorum"
    `);
  });

  test("a dead member replaced", () => expect(printed(world({ cp1: ["left", "dead"], cp2: [], cp3: [] }, { cp4: [] }))).toMatchInlineSnapshot(`
    "control plane of 3: etcd 3.6.8, cp2 leads, sick: cp1 does not answer (SSH: timed out)
      1. snapshot first, then remove cp1   voters 3 -> 2   quorum 2 -> 2   tolerance 1 -> 0   (tolerance 0 while at 2)
      2. snapshot first, then join cp4     voters 2 -> 3   quorum 2 -> 2   tolerance 0 -> 1"
  `));

  test("5 with two dead", () => {
    expect(printed(world({ cp1: [], cp2: [], cp3: [], cp4: ["left", "dead"], cp5: ["left", "dead"] }, { cp6: [], cp7: [] }))).toMatchInlineSnapshot(`
      "control plane of 5: etcd 3.6.8, cp1 leads, sick: cp4 does not answer (SSH: timed out), cp5 does not answer (SSH: timed out)
        1. snapshot first, then remove cp4   voters 5 -> 4   quorum 3 -> 3   tolerance 2 -> 1   healthy 3 of 4
        2. snapshot first, then remove cp5   voters 4 -> 3   quorum 3 -> 2   tolerance 1 -> 1
        3. snapshot first, then join cp6     voters 3 -> 4   quorum 2 -> 3   tolerance 1 -> 1
        4. snapshot first, then join cp7     voters 4 -> 5   quorum 3 -> 3   tolerance 1 -> 2"
    `);
  });

  test("a lost quorum", () => expect(printed(world({ cp1: [], cp2: ["dead"], cp3: ["dead"] }))).toMatchInlineSnapshot(`
    "control plane of 3: etcd 3.6.8, no leader, sick: cp1 sees no leader, cp2 does not answer (SSH: timed out), cp3 does not answer (SSH: timed out)
      REFUSED: etcd has no quorum: 0 of 3 voters healthy, and 2 needed, so no membership change is possible (3 voters, quorum 2, tolerance 1; 0 healthy; sick: cp1 sees no leader, cp2 does not answer (SSH: timed out), cp3 does not answer (SSH: timed out))
      next: bring cp2 or cp3 back and run \`pulumi up\` again; if that cannot be done, \`npx pulumi-kubeadm recover\`"
  `));

  test("a join taken up, one begun anew, and what a machine that left still holds", () => {
    expect(printed(world({ cp1: [], cp2: [], cp3: ["learner", "working"] }))).toMatchInlineSnapshot(`
      "control plane 2 -> 3: etcd 3.6.8, cp1 leads, all healthy
        1. wait for the join that runs on cp3   voters 2 -> 3   quorum 2 -> 2   tolerance 0 -> 1"
    `);
    expect(printed(world({ cp1: [], cp2: [], cp3: ["learner", "unfinished"] }, { cp4: ["left", "member"] }))).toMatchInlineSnapshot(`
      "control plane 2 -> 3: etcd 3.6.8, cp1 leads, all healthy
        1. snapshot first, then remove the learner cp3   voters 2 -> 2   quorum 2 -> 2   tolerance 0 -> 0   (tolerance 0 while at 2)
        2. snapshot first, then join cp3                 voters 2 -> 3   quorum 2 -> 2   tolerance 0 -> 1
        3. reset cp4 (left the settings)"
    `);
  });

  test("a single control plane that is down: nobody can tell the members yet", () => expect(printed(world({ cp1: ["silent"] }))).toMatchInlineSnapshot(`
    "control plane ? -> 1: no etcd answers
      1. start cp1: the etcd on it does not answer
      what follows is decided when etcd answers: its members are not known yet"
  `));

  test("machines that do not agree", () => {
    const [one, two] = reportsOf(world({ cp1: [], cp2: [] }));
    const observation = combine([one!, { ...two!, etcd: { ...two!.etcd!, clusterId: "2" } }]);
    expect(planText(planOf(observation, ca)).join("\n")).toMatchInlineSnapshot(`
      "control plane ? -> 2: its members are not known
        REFUSED: the control planes do not agree on etcd's members (cp1: cluster 1 of cp1, cp2; cp2: cluster 2 of cp1, cp2) (voters, quorum and tolerance are not known)
        next: nothing was changed. When a join or a removal ran just now, run \`pulumi up\` again; else hold \`etcdctl member list\` on each control plane against the names and addresses of the settings, and take out by hand what is wrong"
    `);
  });
});

describe("a plan", () => {
  test("has the figures of each step", () => {
    const { steps, now } = planOf(look(world({ cp1: [], cp2: ["left", "leads"] })), ca);
    expect(now.members).toHaveLength(2);
    expect(steps).toMatchObject([{ step: { kind: "remove", leaderTo: "c1" }, votersBefore: 2, votersAfter: 1, healthyAfter: 1, heir: "cp1" }]);
  });

  test("replaces a dead and a live machine under their names, in whatever order the settings name them", () => {
    const old = world({ cp1: [], cp2: ["dead", "left"], cp3: ["left"] });
    const [cp1, cp2, cp3] = old.boxes;
    const successor = (box: typeof cp1, address: string) =>
      ({ ...box!, address, wanted: true, ssh: true, state: "none" as const, memberId: undefined, runs: false, ready: false });
    const boxes = [successor(cp3, addressOf("cp7")), cp1!, successor(cp2, addressOf("cp8")), cp2!, cp3!];
    const { steps, refused } = planOf(look({ ...old, boxes }), ca);
    expect(refused).toBeUndefined();
    expect(steps.map(({ step }) => `${step.kind} ${"machine" in step ? step.machine : ""}`)).toEqual(["remove cp2", "join cp2", "remove cp3", "join cp3"]);
  });

  test("lets no machine take the name of the only control plane, which must stay until it has joined", () => {
    const old = world({ cp1: ["left"] });
    const successor = { ...old.boxes[0]!, address: addressOf("cp7"), wanted: true, state: "none" as const, memberId: undefined, runs: false, ready: false };
    const { steps, refused } = planOf(look({ ...old, boxes: [successor, ...old.boxes] }), ca);
    expect(steps).toEqual([]);
    expect(refused).toMatchObject({ reason: expect.stringContaining("another machine is to take the name cp1"), next: "give the new machine another name" });
  });
});
