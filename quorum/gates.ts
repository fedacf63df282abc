import type { EtcdMember, Observation } from "./observation.ts";
import { hasQuorum, isFullyHealthy, machineOf, mayBecome, memberOf, nameOf, ringOf, votersOf, wantedMachines, without, type Ring } from "./ring.ts";
import { quorum } from "./sizes.ts";
import { isAlarm } from "./sickness.ts";
import type { Refusal } from "./step.ts";
import { alarmAdvice, healthyText, list, namesOf, plural, recoverCommand, refuse } from "./texts.ts";

// A gate stands before a membership change: it gives the refusal, or undefined to let it pass. `change` says the change in words, as
// "removing cp3".

/** NOQUORUM: etcd commits no change without a quorum of its present voters. */
export function quorumNow(observation: Observation): Refusal | undefined {
  const ring = ringOf(observation);
  if (ring.voters === 0 || hasQuorum(ring)) return undefined;
  const voters = votersOf(observation);
  const silent = voters.filter(({ status }) => status === undefined);
  if (voters.length - silent.length < quorum(ring.voters)) {
    return refuse(
      observation,
      `etcd has no quorum: ${healthyText(ring)}, so no membership change is possible`,
      `bring ${namesOf(silent, "or")} back and run \`pulumi up\` again; if that cannot be done, \`${recoverCommand}\``,
    );
  }
  return refuse(
    observation,
    `etcd answers and is not in order: ${healthyText(ring)}, so no membership change is possible`,
    voters.some(({ status }) => status?.errors.some(isAlarm))
      ? alarmAdvice
      : "run `pulumi up` again, as an election passes by itself; if it does not, look at port 2380/tcp between the control planes and at etcd's logs (`crictl ps -a`)",
  );
}

/**
 * NOTDEAD and orphans: who cannot be looked at is taken out only when no other member reaches it either. One that answers may be at
 * work, and would go on serving an old cluster.
 */
export function mayBeTakenOut(observation: Observation, member: EtcdMember): Refusal | undefined {
  const machine = machineOf(observation, member);
  if ((machine && machine.unreachable === undefined) || !member.answersPeers) return undefined;
  if (!machine) {
    return refuse(
      observation,
      `etcd member ${nameOf(member)} (${member.id}, ${member.peerUrl}) answers, and neither the settings nor this stack's memory name its machine`,
      `name its machine in the settings, or take it out by hand: \`etcdctl member remove ${member.id}\` on a healthy control plane, then \`kubeadm reset\` on it`,
    );
  }
  return refuse(
    observation,
    `${nameOf(member)} is not dead and must not be taken out: SSH does not reach it (${machine.unreachable}), but other members reach its etcd`,
    `see that ${machine.name} can be reached over SSH, or switch it off, and run \`pulumi up\` again`,
  );
}

/** SCALEGATE: nobody joins, and no healthy member goes, while one that stays is sick. */
export function nobodySick(observation: Observation, change: string, after: Ring, leaver?: EtcdMember): Refusal | undefined {
  const sick = observation.members.filter((member) => member !== leaver && member.sick !== undefined);
  if (sick.length === 0) return undefined;
  const names = namesOf(sick);
  const breaks = !hasQuorum(after);
  return refuse(
    observation,
    breaks ? `${change} would leave ${healthyText(after)}` : `${change} must wait: ${names} ${sick.length === 1 ? "is" : "are"} sick`,
    `bring ${names} back first; or give ${sick.length === 1 ? "its place" : "their places"} to ${leaver && !leaver.wanted ? nameOf(leaver) : "another machine"} in the settings: a sick member may leave while there is a quorum`,
  );
}

/** AFTER: there is a quorum when the change is done (Cluster API's target-state rule). */
export function quorumAfter(observation: Observation, change: string, after: Ring): Refusal | undefined {
  if (mayBecome(ringOf(observation), after)) return undefined;
  return refuse(observation, `${change} would leave ${healthyText(after)}`, "bring a sick member back first, and run `pulumi up` again");
}

/** PENDING: those who stay can be looked at and are in order, or one more change may be one too many. */
export function othersInOrder(observation: Observation, change: string): Refusal | undefined {
  for (const machine of wantedMachines(observation)) {
    if (memberOf(observation, machine)?.learner !== false) continue;
    if (machine.unreachable !== undefined) {
      return refuse(
        observation,
        `${change} must wait: ${machine.name} stays, and cannot be looked at over SSH (${machine.unreachable})`,
        `see that ${machine.name} can be reached over SSH, or give its place to another machine, and run \`pulumi up\` again`,
      );
    }
    if (machine.state === "member" && machine.ready !== true) {
      return refuse(observation, `${change} must wait: apiserver, controller manager or scheduler on ${machine.name} is not ready`, `look at \`crictl ps -a\` and \`journalctl -u kubelet\` on ${machine.name}`);
    }
  }
  return undefined;
}

/** No way is begun at an odd size that would end at an even one, because a machine that is to join cannot be reached. */
export function joinersReachable(observation: Observation, change: string): Refusal | undefined {
  const missing = wantedMachines(observation).filter((machine) => machine.unreachable !== undefined && !memberOf(observation, machine));
  if (missing.length === 0 || ringOf(observation).voters % 2 === 0) return undefined;
  const names = list(missing.map(({ name }) => name));
  return refuse(
    observation,
    `${change} must wait: ${missing.map(({ name, unreachable }) => `${name} cannot be reached (${unreachable})`).join(", ")}, and the way would end at an even number of voters`,
    `see that ${names} can be reached over SSH, or give ${missing.length === 1 ? "its place" : "their places"} to other machines, and run \`pulumi up\` again`,
  );
}

/** LASTCP: an apiserver uses only the etcd beside it, as controller manager and scheduler only the apiserver beside them, so one control plane in order must stay at every moment. */
export function oneInOrder(observation: Observation, change: string, leaver?: EtcdMember): Refusal | undefined {
  if (votersOf(observation).some((voter) => voter !== leaver && isFullyHealthy(observation, voter))) return undefined;
  return refuse(
    observation,
    `${change} must wait: ${leaver ? "no other" : "no"} control plane is fully in order (etcd healthy; apiserver, controller manager and scheduler ready; reachable over SSH)`,
    `bring ${leaver ? "another" : "a"} control plane in order first, and run \`pulumi up\` again`,
  );
}

/** LAST: the last voter is the cluster. */
export function notTheLast(observation: Observation, leaver: EtcdMember): Refusal | undefined {
  if (leaver.learner || votersOf(observation).length > 1) return undefined;
  return refuse(
    observation,
    `${nameOf(leaver)} is the last of ${plural(1, "voter")} and cannot be removed`,
    "name another control plane in the settings, which joins before this one leaves; or `pulumi destroy`, if the cluster is not wanted any more",
  );
}

/** What the voters are without a member. */
export const ringWithout = (observation: Observation, leaver: EtcdMember): Ring =>
  leaver.learner ? ringOf(observation) : without(ringOf(observation), leaver.sick !== undefined);
