import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextStep, type Step } from "../../../quorum/next-step.ts";
import { afterStep, planOf, planText } from "../../../quorum/plan.ts";
import { sizeFault } from "../../../quorum/sizes.ts";
import { alive, ca, canWrite, look, take, world, type OtherTrait, type Trait, type World } from "./world.ts";

/** What a machine that is a voter may be like. The weights make quorum likely and still let it be lost often. */
const voter = fc.oneof(
  { weight: 10, arbitrary: fc.constant<Trait[]>([]) },
  { weight: 6, arbitrary: fc.constant<Trait[]>(["left"]) },
  { weight: 2, arbitrary: fc.constant<Trait[]>(["leads"]) },
  { weight: 2, arbitrary: fc.constant<Trait[]>(["left", "leads"]) },
  { weight: 3, arbitrary: fc.constant<Trait[]>(["left", "dead"]) },
  ...(["dead", "noSsh", "silent", "notReady", "unfinished", "working", "empty", "alarm"] as const).map((trait) => ({
    weight: 1,
    arbitrary: fc.boolean().map((left): Trait[] => (left ? ["left", trait] : [trait])),
  })),
);

const learner = fc.constantFrom<Trait[]>(["learner"], ["learner", "left"], ["learner", "working"], ["learner", "unfinished"], ["learner", "nameless", "unfinished"], ["learner", "dead"], ["nameless", "empty"]);

const other: fc.Arbitrary<OtherTrait> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<OtherTrait>("none") },
  { weight: 1, arbitrary: fc.constantFrom<OtherTrait>("unfinished", "working", "member", "stale", "foreign", "unreachable") },
);

/** Any mixture of members and machines; the settings name 1, 3 or 5 control planes. */
const anyWorld: fc.Arbitrary<World> = fc
  .record({
    voters: fc.array(voter, { minLength: 0, maxLength: 6 }),
    learners: fc.oneof({ weight: 5, arbitrary: fc.constant<Trait[][]>([]) }, { weight: 1, arbitrary: fc.array(learner, { minLength: 1, maxLength: 2 }) }),
    others: fc.array(other, { maxLength: 5 }),
    leftOthers: fc.oneof({ weight: 5, arbitrary: fc.constant<OtherTrait[]>([]) }, { weight: 1, arbitrary: fc.array(other, { minLength: 1, maxLength: 2 }) }),
  })
  .filter(({ voters, learners }) => voters.length > 0 || learners.length === 0)
  .map(({ voters, learners, others, leftOthers }) => {
    const members = Object.fromEntries([...voters, ...learners].map((traits, index) => [`cp${index + 1}`, traits]));
    const more: OtherTrait[][] = [...others.map((trait) => [trait]), ...leftOthers.map((trait): OtherTrait[] => ["left", trait])];
    return world(members, Object.fromEntries(more.map((traits, index) => [`cp${index + 21}`, traits])));
  })
  .filter(({ boxes }) => sizeFault(boxes.filter(({ wanted }) => wanted).length) === undefined);

const known = fc.constantFrom(ca, undefined);
const runs = { numRuns: 1500 };

/** Six voters and five others, started once each. The caller gives up sooner. */
const mostStarts = 11;

/** Goes the way in the world itself, which fails on a step that a real cluster would not bear. */
function walk(truth: World, knownHash: string | undefined): { readonly states: World[]; readonly steps: Step[]; readonly end: Step } {
  const states = [truth];
  const steps: Step[] = [];
  for (;;) {
    const now = states.at(-1)!;
    const step = nextStep(look(now), knownHash);
    if (step.kind === "nothing" || step.kind === "refuse") return { states, steps, end: step };
    if (step.kind === "start" && steps.filter(({ kind }) => kind === "start").length === mostStarts) return { states, steps, end: { kind: "refuse", reason: "started often", next: "" } };
    steps.push(step);
    states.push(take(now, step));
    expect(steps.length, steps.map(({ kind }) => kind).join(" ")).toBeLessThan(40);
  }
}

/** Whether a cluster is there: an init that did not end is none, and may be cleared. */
const established = ({ boxes }: World) => boxes.some(({ state }) => state === "member");

/** Whether a join that ran already came to nothing, because something was in its way. */
const wentBadly = (states: World[], steps: Step[]) =>
  steps.some((step, index) => step.kind === "join" && states[index + 1]!.boxes.some(({ name, state, wanted }) => wanted === step.wanted && name === step.machine && state === "unfinished"));

const voters = ({ list }: World) => list.filter(({ learner, name }) => !learner && name !== "");

describe("every way that the rules allow, from any mixture of machines", { timeout: 60_000 }, () => {
  it("never passes through fewer healthy voters than a quorum", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states } = walk(truth, knownHash);
        const first = states.findIndex(canWrite);
        if (established(truth) && first >= 0) for (const state of states.slice(first)) expect(canWrite(state)).toBe(true);
      }),
      runs,
    );
  });

  it("changes one member a step, and none beside a learner but that learner", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states, steps } = walk(truth, knownHash);
        if (!established(truth)) return;
        steps.forEach((step, index) => {
          const [before, after] = [states[index]!, states[index + 1]!];
          const key = ({ id, learner }: World["list"][number]) => `${id} ${learner ? "learner" : "voter"}`;
          const ids = (list: World["list"]) => new Set(list.map(({ id }) => id));
          const changed = new Set([...before.list.filter((entry) => !after.list.map(key).includes(key(entry))), ...after.list.filter((entry) => !before.list.map(key).includes(key(entry)))].map(({ id }) => id));
          expect(changed.size).toBeLessThanOrEqual(1);
          const pending = before.list.filter(({ learner, name }) => learner || name === "");
          if (pending.length > 0 && changed.size > 0) expect([...changed].every((id) => ids(pending).has(id)), step.kind).toBe(true);
        });
      }),
      runs,
    );
  });

  it("ends, at the machines of the settings or in a refusal, and rests at 2 or 4 only in a refusal", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states, end } = walk(truth, knownHash);
        if (end.kind !== "nothing") return;
        const last = states.at(-1)!;
        const wanted = last.boxes.filter((box) => box.wanted);
        expect([1, 3, 5]).toContain(last.list.length);
        expect(last.list.map(({ name }) => name).sort()).toEqual(wanted.map(({ name }) => name).sort());
        expect(alive(last)).toHaveLength(last.list.length);
        expect(wanted.every(({ ready, state, ssh }) => ready && ssh && state === "member")).toBe(true);
      }),
      runs,
    );
  });

  it("leaves no even number behind where it began at an odd one, unless a member was dead or a join half done", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states, steps } = walk(truth, knownHash);
        if (voters(truth).length % 2 === 0 || voters(states.at(-1)!).length % 2 === 1) return;
        const repaired = steps.some((step, index) => step.kind === "remove" && !healthy(states[index]!, step.memberId));
        const halfDone = truth.boxes.some(({ state }) => state === "unfinished" || state === "working");
        expect(repaired || halfDone, JSON.stringify(steps)).toBe(true);
      }),
      runs,
    );
  });

  it("is planned as it is gone: planning again after each step gives the rest of the same plan", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states, steps, end } = walk(truth, knownHash);
        if ((!canWrite(truth) && steps.length > 0) || wentBadly(states, steps)) return;
        states.forEach((state, index) => {
          const plan = planOf(look(state), knownHash);
          if (plan.open) return;
          expect(plan.steps.map(({ step }) => summary(step))).toEqual(steps.slice(index).map(summary));
          expect(plan.refused !== undefined).toBe(end.kind === "refuse");
        });
      }),
      { numRuns: 500 },
    );
  });

  it("is simulated as it is gone: the figures after each planned step are those of the world", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states, steps } = walk(truth, knownHash);
        if (!canWrite(truth) || look(truth).members.length === 0 || wentBadly(states, steps)) return;
        const { steps: planned } = planOf(look(truth), knownHash);
        expect(planned.map(({ votersAfter, healthyAfter }) => [votersAfter, healthyAfter])).toEqual(
          steps.map((_, index) => {
            const { members } = look(states[index + 1]!);
            const voting = members.filter((member) => !member.learner);
            return [voting.length, voting.filter(({ sick }) => sick === undefined).length];
          }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("keeps no sick member while a healthy one is removed", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states, steps } = walk(truth, knownHash);
        steps.forEach((step, index) => {
          if (step.kind !== "remove" || step.learner || !healthy(states[index]!, step.memberId)) return;
          expect(look(states[index]!).members.filter(({ sick }) => sick !== undefined)).toEqual([]);
        });
      }),
      runs,
    );
  });

  it("keeps one control plane fully in order through every removal", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const { states, steps } = walk(truth, knownHash);
        steps.forEach((step, index) => {
          if (step.kind !== "remove") return;
          const after = states[index + 1]!;
          expect(after.boxes.some((box) => box.ssh && box.ready && box.runs && box.state === "member" && healthy(after, box.memberId))).toBe(true);
        });
      }),
      runs,
    );
  });
});

const healthy = (truth: World, id: string | undefined): boolean => alive(truth).some((entry) => entry.id === id && !truth.alarms.includes(entry.id) && entry.name !== "");

const summary = (step: Step): string => [step.kind, "machine" in step ? step.machine : "", step.kind === "remove" ? step.member.replace(/^[a-f]\w+$/, "") : ""].join(" ");

describe("every refusal", { timeout: 60_000 }, () => {
  it("carries voters, quorum, tolerance, every sick member, and a safe next step", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const observation = look(truth);
        const step = nextStep(observation, knownHash);
        if (step.kind !== "refuse") return;
        expect(step.reason).toMatch(/voter/);
        expect(step.reason).toMatch(/quorum/);
        expect(step.reason).toMatch(/tolerance/);
        for (const { name, id, sick } of observation.members) if (sick !== undefined) expect(step.reason).toContain(`${name || id}`);
        expect(step.next.length).toBeGreaterThan(20);
        expect(`${step.reason} ${step.next}`).not.toMatch(/undefined|NaN|\[object/);
      }),
      runs,
    );
  });
});

describe("the rules are pure", () => {
  it("the same facts give the same plan, and are not changed by it", () => {
    fc.assert(
      fc.property(anyWorld, known, (truth, knownHash) => {
        const observation = look(truth);
        const before = structuredClone(observation);
        const text = planText(planOf(observation, knownHash));
        expect(planText(planOf(structuredClone(observation), knownHash))).toEqual(text);
        expect(observation).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it("a refusal, or nothing to do, leaves everything as it is", () => {
    const observation = look(world({ cp1: [], cp2: [], cp3: [] }));
    expect(afterStep(observation, { kind: "nothing" })).toBe(observation);
    expect(afterStep(observation, { kind: "refuse", reason: "", next: "" })).toBe(observation);
  });
});
