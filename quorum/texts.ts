import type { EtcdMember, MachineReport, Observation } from "./observation.ts";
import { machineOf, nameOf, ringOf, type Ring } from "./ring.ts";
import { quorum, tolerance } from "./sizes.ts";
import type { Refusal } from "./step.ts";

/** The command that brings back a cluster that has lost its quorum. It is never run by itself. */
export const recoverCommand = "npx pulumi-kubeadm recover";

/**
 * A refusal with the figures that it stands on.
 *
 * @param reason what is refused and why, without a full stop
 * @param next the safe thing to do
 */
export function refuse(observation: Observation, reason: string, next: string): Refusal {
  return { kind: "refuse", reason: `${reason} (${figures(observation)})`, next };
}

/** What ends an alarm: https://etcd.io/docs/latest/op-guide/maintenance/#space-quota */
export const alarmAdvice = "end the alarm's cause (for NOSPACE compact and defragment), then `etcdctl alarm disarm`, and run `pulumi up` again";

/** Voters, quorum, tolerance, and who is sick. */
export function figures(observation: Observation): string {
  if (observation.members.length === 0) return observation.disagreement ? "voters, quorum and tolerance are not known" : "0 voters seen, so no quorum and no tolerance";
  const ring = ringOf(observation);
  const sick = sickText(observation);
  return `${plural(ring.voters, "voter")}, quorum ${quorum(ring.voters)}, tolerance ${tolerance(ring.voters)}; ${ring.healthy} healthy${sick ? `; sick: ${sick}` : ""}`;
}

/** Every sick member with the reason; empty when there is none. */
export function sickText(observation: Observation): string {
  const sick = observation.members.filter((member) => member.sick !== undefined);
  return sick.map((member) => `${nameOf(member)} ${member.sick}${sshText(machineOf(observation, member))}`).join(", ");
}

const sshText = (machine: MachineReport | undefined): string => (machine?.unreachable === undefined ? "" : ` (SSH: ${machine.unreachable})`);

/** As "2 of 3 voters healthy, and 2 are needed". */
export const healthyText = ({ voters, healthy }: Ring): string => `${healthy} of ${plural(voters, "voter")} healthy, and ${quorum(voters)} needed`;

/** As "1 voter", "2 voters". */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** As "cp1", "cp1 and cp2", "cp1, cp2 and cp3". */
export function list(names: readonly string[], conjunction = "and"): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${conjunction} ${names.at(-1)}`;
}

/** Names of members, for sentences. */
export const namesOf = (members: readonly EtcdMember[], conjunction = "and"): string => list(members.map(nameOf), conjunction);
