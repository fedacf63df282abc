import type { ClusterSettings, MachineSettings } from "../kubeadm/settings.ts";
import type { MachineReport, Observation } from "../quorum/observation.ts";
import type { Member } from "./member.ts";
import type { ObservedMachine } from "./observe.ts";
import { targetOf, type HostKeys } from "./target.ts";

/** The control planes that settings name, with how to reach them. */
export const membersOf = ({ controlPlanes, ssh }: Pick<ClusterSettings, "controlPlanes" | "ssh">, hostKeys: HostKeys = {}): Member[] =>
  controlPlanes.map((machine: MachineSettings) => ({ ...machine, target: targetOf(ssh, machine, hostKeys) }));

/**
 * Control planes of earlier settings that the present ones do not name, or name another machine for. A plan must know them: one that
 * has just left is a member still.
 */
export function formerMembers(earlier: readonly Member[], wanted: readonly Member[]): Member[] {
  return earlier.filter(
    (old, index) =>
      !wanted.some((member) => sameMachine(old, member)) && earlier.findIndex((other) => sameMachine(other, old)) === index,
  );
}

/** Of the machines that were looked at those that left and hold, or may hold, a part of the cluster. */
export function stillThere(looked: readonly ObservedMachine[], { machines, members }: Observation): Member[] {
  const holds = ({ unreachable, state, name }: MachineReport) =>
    unreachable === undefined ? state !== "none" : members.some(({ machine, wanted }) => !wanted && machine === name) || members.length === 0;
  return looked
    .filter(({ name, wanted }) => !wanted && machines.some((report) => !report.wanted && report.name === name && holds(report)))
    .map(({ wanted: _, ...member }) => member);
}

/** A machine is its host key; one whose key is not known yet is taken for the one of its name. */
function sameMachine(a: Member, b: Member): boolean {
  const known = a.target.hostKey !== undefined && b.target.hostKey !== undefined;
  return a.name === b.name && (!known || a.target.hostKey === b.target.hostKey);
}
