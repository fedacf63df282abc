import { mayBeTakenOut } from "../gates.ts";
import type { EtcdMember, Observation } from "../observation.ts";
import { removeHealthy, removeStale } from "../removal.ts";
import { isFullyHealthy, machineOf, memberOf, runsListedMember, votersOf } from "../ring.ts";
import type { Step } from "../step.ts";

/** A sick voter that the settings do not name goes before anything else changes: it costs no tolerance, and every join needs it gone. */
export function removeSickLeaver(observation: Observation): Step | undefined {
  const sick = votersOf(observation).filter((voter) => !voter.wanted && voter.sick !== undefined);
  const first = sick.find((voter) => !mayBeTakenOut(observation, voter)) ?? sick[0];
  return first && removeStale(observation, first, `${leaving(observation, first)}, and ${first.sick}`);
}

/** A voter whose machine did not finish its join is no control plane: it goes, and joins anew. */
export function removeUnfinishedVoter(observation: Observation): Step | undefined {
  const unfinished = votersOf(observation).filter((voter) => voter.wanted && machineOf(observation, voter)?.state === "unfinished");
  const first = unfinished.find(({ sick }) => sick !== undefined) ?? unfinished[0];
  if (!first) return undefined;
  const remove = first.sick === undefined ? removeHealthy : removeStale;
  return remove(observation, first, `the join of ${first.machine} did not end; it joins anew`);
}

/**
 * A healthy voter that the settings do not name goes, one at a time: first those whose control plane is not fully in order, the
 * leader last. One that may not be taken out stops this before it begins, but not half-way at an even number of voters.
 */
export function removeHealthyLeaver(observation: Observation): Step | undefined {
  const voters = votersOf(observation);
  const leavers = voters.filter(({ wanted, sick }) => !wanted && sick === undefined);
  const worth = (voter: EtcdMember) => Number(isFullyHealthy(observation, voter)) * 2 + Number(voter.leader);
  const ordered = [...leavers].sort((a, b) => worth(a) - worth(b));
  const blocked = ordered.find((voter) => mayBeTakenOut(observation, voter));
  const free = ordered.find((voter) => !mayBeTakenOut(observation, voter));
  const first = voters.length % 2 === 0 ? (free ?? blocked) : (blocked ?? free);
  return first && removeHealthy(observation, first, leaving(observation, first));
}

/** A machine that left and is no member any more gives back what it still holds of the cluster. */
export function resetLeftover(observation: Observation): Step | undefined {
  const left = observation.machines.find(
    (machine) =>
      !machine.wanted &&
      (machine.state === "member" || machine.state === "unfinished") &&
      !memberOf(observation, machine) &&
      !runsListedMember(observation, machine),
  );
  return left && { kind: "reset", machine: left.name, wanted: false, reason: `${left.name} left the settings, and is no member any more` };
}

const leaving = (observation: Observation, member: EtcdMember): string =>
  machineOf(observation, member) ? "the settings do not name it any more" : "no known machine runs it";
