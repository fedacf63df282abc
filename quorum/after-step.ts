import { combine } from "./combine.ts";
import type { EtcdView, ListedMember, MachineReport, MemberStatus, Observation } from "./observation.ts";
import { peerUrlOf } from "./owners.ts";
import { memberOf } from "./ring.ts";
import { isAlarm } from "./sickness.ts";
import type { Step } from "./step.ts";

/** What the control plane looks like when a step has gone well. A refusal, or nothing to do, changes nothing. */
export function afterStep(observation: Observation, step: Step): Observation {
  switch (step.kind) {
    case "init":
    case "start":
    case "join":
      return afterStart(observation, find(observation, step.machine, step.kind === "init" || step.wanted));
    case "remove":
      return combine(
        observation.machines.map((machine) =>
          step.reachable && machine.name === step.machine && machine.wanted === step.wanted
            ? emptied(machine)
            : mapView(machine, (view) => withoutMember(view, step.memberId, step.leaderTo)),
        ),
      );
    case "reset":
      return combine(observation.machines.map((machine) => (machine.name === step.machine && machine.wanted === step.wanted ? emptied(machine) : machine)));
    case "nothing":
    case "refuse":
      return observation;
  }
}

function find({ machines }: Observation, name: string, wanted: boolean): MachineReport {
  const machine = machines.find((report) => report.name === name && report.wanted === wanted);
  if (!machine) throw new Error(`no machine ${name} was observed`);
  return machine;
}

const emptied = ({ name, address, wanted }: MachineReport): MachineReport => ({ name, address, wanted, state: "none" });

const mapView = (machine: MachineReport, change: (view: EtcdView) => EtcdView): MachineReport =>
  machine.etcd ? { ...machine, etcd: change(machine.etcd) } : machine;

function withoutMember(view: EtcdView, id: string, leaderTo: string | undefined): EtcdView {
  const stays = ({ leader }: MemberStatus) => (leader === id ? (leaderTo ?? leader) : leader);
  return {
    ...view,
    members: view.members.filter((member) => member.id !== id),
    statuses: view.statuses.filter(({ memberId }) => memberId !== id).map((status) => ({ ...status, leader: stays(status) })),
  };
}

/** The machine is a finished control plane now, its member a healthy voter, and every etcd that answers knows it. */
function afterStart(observation: Observation, machine: MachineReport): Observation {
  const listed = listedOf(observation, machine);
  const model = observation.machines.find(({ etcd, name, wanted }) => etcd && (name !== machine.name || wanted !== machine.wanted))?.etcd ?? machine.etcd;
  const others = observation.members.filter(({ id }) => id !== listed.id);
  const members = [...others.map(({ id, name, peerUrl, learner }) => ({ id, name, peerUrls: [peerUrl], learner })), listed];
  const clusterId = model?.clusterId ?? "new";
  const known = observation.members.find(({ leader }) => leader)?.id ?? listed.id;
  const statuses = observation.members
    .flatMap(({ status }) => status ?? [])
    .filter(({ memberId }) => memberId !== listed.id)
    .map((status) => ({ ...status, leader: known }));
  const before = memberOf(observation, machine)?.status ?? statuses[0] ?? unknownStatus;
  const own = { ...before, memberId: listed.id, clusterId, leader: known, errors: before.errors.filter(isAlarm) };
  const view = { clusterId, members, statuses: [...statuses, own] };
  return combine(
    observation.machines.map((report) => {
      if (report === machine) return { ...report, state: "member", ready: true, etcd: { ...view, memberId: listed.id } };
      return inList(report, members) ? { ...report, etcd: { ...view, memberId: report.etcd.memberId } } : report;
    }),
  );
}

const inList = (report: MachineReport, members: readonly ListedMember[]): report is MachineReport & { etcd: EtcdView } =>
  members.some(({ id }) => id === report.etcd?.memberId);

/** The member that the machine runs or will run, as a voter with a name. */
function listedOf(observation: Observation, machine: MachineReport): ListedMember {
  const id = memberOf(observation, machine)?.id ?? `new-${machine.name}`;
  return { id, name: machine.name, peerUrls: [peerUrlOf(machine.address)], learner: false };
}

/** Of the first member of a cluster. */
const unknownStatus: MemberStatus = {
  memberId: "",
  clusterId: "",
  leader: "",
  version: "",
  raftTerm: 1,
  raftIndex: 0,
  dbSize: 0,
  dbSizeInUse: 0,
  dbSizeQuota: 0,
  errors: [],
};
