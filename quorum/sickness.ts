import type { ListedMember, MemberStatus } from "./observation.ts";

/** As etcd prints an alarm among the errors of a status. Every member tells the alarms of all; the id is decimal. */
const alarm = /memberID:\s*(\d+)\s+alarm:\s*(\w+)/;

/** Whether an error that a member tells is an alarm, of whatever member. */
export const isAlarm = (error: string): boolean => alarm.test(error);

/**
 * Says why a member counts as sick. What is not known is sick.
 *
 * @param status what it answered; undefined when it did not
 * @param clusterId the cluster that it should be in
 * @param list the members of that cluster
 * @returns a few words; undefined when it is healthy
 */
export function sickness(
  member: ListedMember,
  status: MemberStatus | undefined,
  clusterId: string,
  list: readonly ListedMember[],
): string | undefined {
  if (member.name === "") return "has not started yet";
  if (status === undefined) return "does not answer";
  if (status.clusterId !== clusterId) return `answers for another cluster, ${status.clusterId}`;
  if (/^0*$/.test(status.leader)) return "sees no leader";
  const errors = status.errors.flatMap((error) => ownError(error, member, list));
  return errors.length > 0 ? errors.join(", ") : undefined;
}

/** An alarm counts for the member that it names. One of a member that is gone counts for whoever tells it: it still stops writes. */
function ownError(error: string, member: ListedMember, list: readonly ListedMember[]): string[] {
  const [, decimal, kind] = alarm.exec(error) ?? [];
  if (decimal === undefined) return [error.trim()];
  const id = BigInt(decimal).toString(16);
  if (id !== member.id && list.some((other) => other.id === id)) return [];
  return [id === member.id ? `alarm ${kind}` : `alarm ${kind} of ${id}, which is no member any more`];
}
