import { quorumNow } from "./gates.ts";
import type { Observation } from "./observation.ts";
import { anotherCluster, disagreement, unfinishedRecovery } from "./rules/whose.ts";
import { firstControlPlane } from "./rules/first.ts";
import { joinWanted, resetBeforeJoin } from "./rules/join.ts";
import { removeHealthyLeaver, removeSickLeaver, removeUnfinishedVoter, resetLeftover } from "./rules/leave.ts";
import { removeLearner } from "./rules/learner.ts";
import { notInOrder } from "./rules/order.ts";
import { startMember, takeUp } from "./rules/start.ts";
import type { Step } from "./step.ts";

export type { Refusal, Step } from "./step.ts";

/** A rule gives a step, or leaves it to the next rule. */
type Rule = (observation: Observation, knownCaCertHash: string | undefined) => Step | undefined;

/** From the most urgent to the least. Whatever changes the membership comes after `quorumNow`. */
const rules: readonly Rule[] = [
  anotherCluster,
  unfinishedRecovery,
  disagreement,
  firstControlPlane,
  startMember,
  quorumNow,
  takeUp,
  removeLearner,
  removeSickLeaver,
  removeUnfinishedVoter,
  resetBeforeJoin,
  joinWanted,
  removeHealthyLeaver,
  resetLeftover,
  notInOrder,
];

/**
 * The next allowed step towards a control plane in which every wanted machine is a healthy voter and ready, and no other. Pure: the
 * caller does the step, looks at the machines again, and asks again, until there is nothing to do.
 *
 * @param knownCaCertHash the cluster that the state remembers; undefined before the first one
 */
export function nextStep(observation: Observation, knownCaCertHash: string | undefined): Step {
  for (const rule of rules) {
    const step = rule(observation, knownCaCertHash);
    if (step) return step;
  }
  return { kind: "nothing" };
}
