import type { EtcdMember, EtcdView, ListedMember, MachineReport, MemberStatus, Observation } from "./observation.ts";
import { identityFault, ownerOf } from "./owners.ts";
import { sickness } from "./sickness.ts";
import { agreedView, witnesses, type Witness } from "./views.ts";

/**
 * Puts together what each control-plane machine told.
 *
 * A member is judged by what it answered to its own machine, else to another one: a machine that SSH does not reach may carry a
 * healthy member. Who needs to look at the machine itself asks the machine's report.
 *
 * @param reports the machines of the settings in their order, then those that left; two of the same name differ in `wanted`
 */
export function combine(reports: readonly MachineReport[]): Observation {
  const asked = witnesses(reports);
  const view = agreedView(asked, reports);
  if (view === undefined) return { machines: reports, members: [] };
  if (typeof view === "string") return { machines: reports, members: [], disagreement: view };

  const leader = leaderOf(view, asked);
  const found = view.members.map((listed) => describe(listed, view, leader, asked, reports));
  const place = ({ machine, wanted }: EtcdMember) => reports.findIndex((report) => report.name === machine && report.wanted === wanted);
  const members = [...found.filter(({ machine }) => machine !== undefined).sort((a, b) => place(a) - place(b)), ...found.filter(({ machine }) => machine === undefined)];
  const disagreement = identityFault(view.members, reports);
  return { machines: reports, members, ...(disagreement === undefined ? {} : { disagreement }) };
}

function describe(listed: ListedMember, view: EtcdView, leader: string | undefined, asked: readonly Witness[], reports: readonly MachineReport[]): EtcdMember {
  const answered = (by: readonly Witness[]) => by.flatMap(({ etcd }) => etcd.statuses).find(({ memberId }) => memberId === listed.id);
  const itself = asked.filter(({ etcd }) => etcd.memberId === listed.id);
  const peers = asked.filter(({ etcd }) => etcd.memberId !== listed.id);
  const status = answered(itself) ?? answered(peers);
  const owner = ownerOf(listed, reports);
  const sick = sickness(listed, status, view.clusterId, view.members);
  return {
    id: listed.id,
    name: listed.name,
    peerUrl: listed.peerUrls[0] ?? "",
    learner: listed.learner,
    leader: listed.id === leader,
    ...(sick === undefined ? {} : { sick }),
    answersPeers: answered(peers) !== undefined,
    ...(status ? { status } : {}),
    ...(owner ? { machine: owner.name } : {}),
    wanted: owner?.wanted ?? false,
  };
}

/** The leader of the newest term that a member of this cluster tells. */
function leaderOf({ clusterId, members }: EtcdView, asked: readonly Witness[]): string | undefined {
  const ofCluster = ({ clusterId: id, memberId }: MemberStatus) => id === clusterId && members.some((member) => member.id === memberId);
  const statuses = asked.flatMap(({ etcd }) => etcd.statuses).filter(ofCluster);
  return statuses.filter(({ leader }) => members.some(({ id }) => id === leader)).sort((a, b) => b.raftTerm - a.raftTerm)[0]?.leader;
}
