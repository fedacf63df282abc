import type { EtcdMember, MachineReport, Observation } from "./observation.ts";
import { quorum } from "./sizes.ts";

/** The figures that every membership rule is about. */
export interface Ring {
  readonly voters: number;
  readonly healthy: number;
}

/** Whether etcd can take a write, and so a membership change. */
export const hasQuorum = ({ voters, healthy }: Ring): boolean => voters > 0 && healthy >= quorum(voters);

/** What is left when one voter goes. */
export const without = ({ voters, healthy }: Ring, sick: boolean): Ring => ({ voters: voters - 1, healthy: sick ? healthy : healthy - 1 });

/** What it is when one more votes. It counts as sick at first, the worst case, but beside a single voter (Cluster API's rule). */
export const withOneMore = ({ voters, healthy }: Ring): Ring => ({ voters: voters + 1, healthy: voters <= 1 ? healthy + 1 : healthy });

/**
 * Whether a membership change is safe: there is a quorum now, or etcd cannot commit it, and there is one after it. Neither implies
 * the other: at 2 with one dead, taking the dead one out ends well and cannot be committed.
 */
export const mayBecome = (now: Ring, after: Ring): boolean => hasQuorum(now) && hasQuorum(after);

/** Members that vote. */
export const votersOf = ({ members }: Observation): EtcdMember[] => members.filter(({ learner }) => !learner);

/** Counts the voters. */
export function ringOf(observation: Observation): Ring {
  const voters = votersOf(observation);
  return { voters: voters.length, healthy: voters.filter(({ sick }) => sick === undefined).length };
}

/** Machines that the settings name. */
export const wantedMachines = ({ machines }: Observation): MachineReport[] => machines.filter(({ wanted }) => wanted);

/** The machine that a member runs on. */
export function machineOf({ machines }: Observation, member: EtcdMember): MachineReport | undefined {
  return machines.find(({ name, wanted }) => name === member.machine && wanted === member.wanted);
}

/** The member that a machine runs. */
export function memberOf({ members }: Observation, machine: MachineReport): EtcdMember | undefined {
  return members.find((member) => member.machine === machine.name && member.wanted === machine.wanted);
}

/** Whether the etcd on a machine is one of the list, also when another machine of the settings' history owns it: then it is in use. */
export const runsListedMember = ({ members }: Observation, { etcd }: MachineReport): boolean => members.some(({ id }) => id === etcd?.memberId);

/** Whether a voter's machine is a finished control plane in order: etcd healthy; apiserver, controller manager and scheduler ready; seen over SSH. */
export function isFullyHealthy(observation: Observation, voter: EtcdMember): boolean {
  const machine = machineOf(observation, voter);
  return voter.sick === undefined && machine?.state === "member" && machine.ready === true;
}

/** What a member is called in sentences: its name, and its id as long as it has none. */
export const nameOf = ({ name, id }: EtcdMember): string => name || `${id} (without a name)`;
