import type { EtcdView, ListedMember, MachineReport } from "./observation.ts";
import { sickness } from "./sickness.ts";
import { quorum } from "./sizes.ts";

/** A machine whose etcd answers. */
export type Witness = MachineReport & { readonly etcd: EtcdView };

/** The machines whose etcd answers. One that is not ours, or that holds no control plane, is not believed. */
export function witnesses(reports: readonly MachineReport[]): Witness[] {
  return reports.filter(
    (report): report is Witness =>
      report.etcd !== undefined && report.unreachable === undefined && report.state !== "none" && report.state !== "foreign",
  );
}

/**
 * Finds the member list that counts.
 *
 * When lists differ, one counts only if it alone is told by a quorum of its own voters, each healthy by its own word, and nobody
 * outside is in it: then those outside were removed, or hold a stale cluster. Two lists that both have a quorum are two clusters,
 * none is no cluster.
 *
 * @returns a view with that list; undefined when no etcd answers; a sentence when the lists differ
 */
export function agreedView(asked: readonly Witness[], reports: readonly MachineReport[]): EtcdView | string | undefined {
  const groups = groupByList(believable(asked, reports));
  if (groups.length <= 1) return groups[0]?.[0]?.etcd;

  const ruling = groups.filter(hasQuorum);
  const [only] = ruling;
  if (only && ruling.length === 1) {
    const listed = new Set(only[0]!.etcd.members.map(({ id }) => id));
    const others = groups.filter((group) => group !== only).flat();
    if (others.every(({ etcd }) => !listed.has(etcd.memberId))) return only[0]!.etcd;
  }
  const told = groups.map((group) => `${group.map(({ name }) => name).join(", ")}: ${listText(group[0]!.etcd)}`);
  return `the control planes do not agree on etcd's members (${told.join("; ")})`;
}

/**
 * Voters are believed: a learner may lag behind, and what is in no list of its own was removed. A single voter on a machine that is
 * not finished is an init that did not end, no cluster, as soon as there is a finished control plane, silent or not.
 */
function believable(asked: readonly Witness[], reports: readonly MachineReport[]): readonly Witness[] {
  const voting = asked.filter(({ etcd }) => etcd.members.some(({ id, learner }) => id === etcd.memberId && !learner));
  if (voting.length === 0) return asked;
  const cluster = reports.some(({ state }) => state === "member");
  return voting.filter(({ state, etcd }) => state === "member" || etcd.members.length > 1 || !cluster);
}

function groupByList(asked: readonly Witness[]): Witness[][] {
  const groups = new Map<string, Witness[]>();
  for (const witness of asked) {
    const key = JSON.stringify([witness.etcd.clusterId, witness.etcd.members.map(memberKey).sort()]);
    groups.set(key, [...(groups.get(key) ?? []), witness]);
  }
  return [...groups.values()];
}

const memberKey = ({ id, name, peerUrls, learner }: ListedMember): string => JSON.stringify([id, name, [...peerUrls].sort(), learner]);

/** Whether those who tell a list are more than half of its voters, and healthy. What others say of them does not count here. */
function hasQuorum(group: readonly Witness[]): boolean {
  const { members, clusterId } = group[0]!.etcd;
  const voters = members.filter(({ learner }) => !learner);
  const healthy = voters.filter((voter) =>
    group.some(({ etcd }) => {
      const own = etcd.statuses.find(({ memberId }) => memberId === voter.id);
      return etcd.memberId === voter.id && sickness(voter, own, clusterId, members) === undefined;
    }),
  );
  return healthy.length >= quorum(voters.length);
}

const listText = ({ clusterId, members }: EtcdView): string =>
  `cluster ${clusterId} of ${members.map(({ id, name, learner }) => `${name || id}${learner ? " (learner)" : ""}`).join(", ")}`;
