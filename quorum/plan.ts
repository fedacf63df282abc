import { afterStep } from "./after-step.ts";
import { nextStep } from "./next-step.ts";
import type { Observation } from "./observation.ts";
import { nameOf, ringOf } from "./ring.ts";
import type { Step } from "./step.ts";

export { afterStep } from "./after-step.ts";
export { planText } from "./plan-text.ts";

/** A step with the figures before and after it. */
export interface PlannedStep {
  readonly step: Step;
  readonly votersBefore: number;
  readonly votersAfter: number;
  readonly healthyAfter: number;
  /** Name of the member that leads first, when the leader is removed. */
  readonly heir?: string;
}

/** The whole way, as it looks now. Each step is decided anew when it is due. */
export interface Plan {
  readonly now: Observation;
  readonly steps: readonly PlannedStep[];
  /** Set when the way ends in a refusal. */
  readonly refused?: { readonly reason: string; readonly next: string };
  /** Set when the way cannot be seen beyond the last step: no etcd answers yet. */
  readonly open?: true;
}

/** Five that all give their places to others take 15 steps with a reset each; more is a loop. */
const mostSteps = 40;

/**
 * The way to the wanted control plane, if every step goes well.
 *
 * @param knownCaCertHash as for `nextStep`, which decides every step
 * @throws Error when the way does not end, which is a mistake in the rules
 */
export function planOf(observation: Observation, knownCaCertHash: string | undefined): Plan {
  const steps: PlannedStep[] = [];
  let seen = observation;
  while (steps.length <= mostSteps) {
    const step = nextStep(seen, knownCaCertHash);
    if (step.kind === "nothing") return { now: observation, steps };
    if (step.kind === "refuse") return { now: observation, steps, refused: { reason: step.reason, next: step.next } };
    const after = afterStep(seen, step);
    const heir = step.kind === "remove" ? seen.members.find(({ id }) => id === step.leaderTo) : undefined;
    steps.push({
      step,
      votersBefore: ringOf(seen).voters,
      votersAfter: ringOf(after).voters,
      healthyAfter: ringOf(after).healthy,
      ...(heir ? { heir: nameOf(heir) } : {}),
    });
    if (step.kind === "start" && seen.members.length === 0) return { now: observation, steps, open: true };
    seen = after;
  }
  throw new Error(`the plan does not end: ${steps.map(({ step }) => step.kind).join(", ")}`);
}
