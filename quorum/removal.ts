import { mayBeTakenOut, nobodySick, notTheLast, oneInOrder, othersInOrder, joinersReachable, quorumAfter, ringWithout } from "./gates.ts";
import type { EtcdMember, Observation } from "./observation.ts";
import { isFullyHealthy, machineOf, nameOf, votersOf } from "./ring.ts";
import type { Refusal, Step } from "./step.ts";

/** Takes out a learner or a sick voter: that only needs a quorum, now and after, and that it is dead or can be reached. */
export function removeStale(observation: Observation, member: EtcdMember, reason: string): Step {
  const change = `removing ${nameOf(member)}`;
  return (
    mayBeTakenOut(observation, member) ??
    notTheLast(observation, member) ??
    quorumAfter(observation, change, ringWithout(observation, member)) ??
    oneInOrder(observation, change, member) ??
    step(observation, member, reason)
  );
}

/** Takes out a healthy voter: that also needs all the others in order. */
export function removeHealthy(observation: Observation, member: EtcdMember, reason: string): Step {
  const change = `removing ${nameOf(member)}`;
  const after = ringWithout(observation, member);
  return (
    mayBeTakenOut(observation, member) ??
    notTheLast(observation, member) ??
    nobodySick(observation, change, after, member) ??
    quorumAfter(observation, change, after) ??
    othersInOrder(observation, change) ??
    joinersReachable(observation, change) ??
    oneInOrder(observation, change, member) ??
    step(observation, member, reason)
  );
}

function step(observation: Observation, member: EtcdMember, reason: string): Exclude<Step, Refusal> {
  const machine = machineOf(observation, member);
  const leaderTo = member.leader ? nextLeader(observation, member)?.id : undefined;
  return {
    kind: "remove",
    memberId: member.id,
    member: member.name || member.id,
    ...(machine ? { machine: machine.name } : {}),
    wanted: member.wanted,
    reachable: machine !== undefined && machine.unreachable === undefined,
    learner: member.learner,
    ...(leaderTo === undefined ? {} : { leaderTo }),
    reason,
  };
}

/** Who leads when the leader goes: one that stays and is fully in order, or the next best. */
function nextLeader(observation: Observation, leaver: EtcdMember): EtcdMember | undefined {
  const healthy = votersOf(observation).filter((voter) => voter !== leaver && voter.sick === undefined);
  return healthy.find((voter) => voter.wanted && isFullyHealthy(observation, voter)) ?? healthy.find(({ wanted }) => wanted) ?? healthy[0];
}
