import type { EtcdMember, Observation } from "../observation.ts";
import { removeStale } from "../removal.ts";
import { nameOf } from "../ring.ts";
import type { Step } from "../step.ts";
import { namesOf, refuse } from "../texts.ts";

/**
 * While a learner is in the list, no other membership change is allowed: a voter that goes before the newest learner is promoted may
 * take the quorum with it. Its own join runs no more here (that was taken up before), so it is stale, and goes. A member that has not
 * started for the first time is the same.
 */
export function removeLearner(observation: Observation): Step | undefined {
  const pending = observation.members.filter(({ learner, name }) => learner || name === "");
  const [only] = pending;
  if (only === undefined) return undefined;
  if (pending.length > 1) {
    return refuse(
      observation,
      `${namesOf(pending)} are ${pending.length} learners or members that have not started, and it is not clear whose they are`,
      `see on a healthy control plane which of them belongs to nothing that runs, and take it out by hand: ${pending.map(removeCommand).join(" or ")}`,
    );
  }
  return removeStale(observation, only, `its join ${only.learner ? "left a learner behind and" : "added it and it never started, and the join"} runs no more`);
}

const removeCommand = (member: EtcdMember): string => `\`etcdctl member remove ${member.id}\` (${nameOf(member)})`;
