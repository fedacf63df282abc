import type { Certificate } from "../controlplane/certificate.ts";
import type { SharedSettings } from "../controlplane/reconcile.ts";
import type { MachineFacts, NodeFacts, StatusFacts } from "../controlplane/status.ts";
import type { EtcdMember, MachineReport, Observation } from "../quorum/observation.ts";
import { planOf, planText, type Plan } from "../quorum/plan.ts";
import { hasQuorum, memberOf, nameOf, ringOf } from "../quorum/ring.ts";
import { quorum, tolerance } from "../quorum/sizes.ts";

/** The status of a cluster, as `status --json` prints it. What is not known is undefined. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly verdict: "healthy" | "unhealthy" | "unknown";
  readonly endpoint: EndpointStatus;
  readonly controlPlanes: readonly ControlPlaneStatus[];
  readonly etcd: { readonly voters: number; readonly healthy: number; readonly quorum: number; readonly tolerance: number; readonly hasQuorum: boolean };
  readonly workers: readonly NodeStatus[];
  /** What is not in order, a sentence each. */
  readonly problems: readonly string[];
  /** What may be changed now, or what `pulumi up` would do, a line each. */
  readonly nextChange: readonly string[];
}

/** Where the API is. */
export interface EndpointStatus {
  readonly name: string;
  readonly port: number;
  /** `machine`: the name stands for the only control plane. */
  readonly kind: "vip" | "external" | "machine";
  /** Address of the vip, or what `endpoint.external` names. */
  readonly address?: string;
  /** Machines that hold the vip now; one, when all is well. */
  readonly holders?: readonly string[];
}

/** What the cluster says of a node. */
export interface NodeStatus {
  readonly name: string;
  readonly node: "Ready" | "NotReady" | "missing" | "unknown";
  readonly cordoned: boolean;
  readonly kubelet?: string;
}

/** A control-plane machine, or an etcd member that no known machine runs. */
export interface ControlPlaneStatus extends NodeStatus {
  /** Undefined for a member without a machine. */
  readonly address?: string;
  /** Left the settings and is not out of the cluster yet. */
  readonly leaving: boolean;
  /** Why SSH does not reach it. */
  readonly unreachable?: string;
  readonly role: "leader" | "follower" | "learner" | "no member" | "unknown";
  /** Why its etcd counts as sick; undefined when it is healthy. */
  readonly sick?: string;
  readonly alarms: readonly string[];
  /** Entries of etcd's log that the leader has and this member has not. */
  readonly lag?: number;
  readonly dbBytes?: number;
  readonly dbInUseBytes?: number;
  readonly components: "ready" | "not ready" | "unknown";
  /** The one that expires first. */
  readonly certificate?: { readonly name: string; readonly expires: Date; readonly days: number };
}

/** A cluster's certificates are made for a year, and kubelet renews its own with more time left than this. */
const certificateDays = 30;
/** Of etcd's quota; at all of it etcd takes no more writes. */
const fullShare = 0.8;
const dayMs = 86_400_000;

/**
 * Says what a look at a cluster found. Pure.
 *
 * @param workers their names in the stack's state
 * @param caCertHash the cluster that the state remembers
 * @param now for how long certificates are valid yet
 */
export function describeStatus(
  cluster: Pick<SharedSettings, "name" | "endpoint">,
  workers: readonly string[],
  caCertHash: string | undefined,
  { observation, machines: facts, nodes }: StatusFacts,
  now: Date,
): ClusterStatus {
  const { machines, members } = observation;
  const seen: Seen = { observation, nodes, lags: lagsOf(observation), now };
  const controlPlanes = [
    ...machines.map((report, index) => machineStatus(seen, report, facts[index])),
    ...members.filter(({ machine }) => machine === undefined).map((member) => ghostStatus(seen, member)),
  ];
  const workerNodes = workers.map((name) => nodeStatus(name, nodes));
  const endpoint = endpointStatus(cluster.endpoint, machines, facts);
  const plan = planOf(observation, caCertHash);
  const ring = ringOf(observation);
  const found = [
    ...(observation.disagreement ? [observation.disagreement] : []),
    ...(ring.voters > 0 && !hasQuorum(ring) ? [`etcd has no quorum: ${ring.healthy} of ${ring.voters} voters healthy, ${quorum(ring.voters)} needed`] : []),
    ...controlPlanes.flatMap(controlPlaneProblems),
    ...quotaProblems(observation),
    ...endpointProblems(endpoint, facts),
    ...(nodes === undefined ? ["no apiserver tells the cluster's nodes"] : workerNodes.flatMap(nodeProblems)),
    ...(plan.steps.length > 0 ? ["the control plane is not as the settings want it"] : []),
  ];
  const problems = found.length === 0 && plan.refused ? [plan.refused.reason] : found;
  const unknown = observation.disagreement !== undefined || machines.every(({ unreachable }) => unreachable !== undefined);
  return {
    cluster: cluster.name,
    verdict: unknown ? "unknown" : problems.length > 0 ? "unhealthy" : "healthy",
    endpoint,
    controlPlanes,
    etcd: { ...ring, quorum: ring.voters && quorum(ring.voters), tolerance: ring.voters && tolerance(ring.voters), hasQuorum: hasQuorum(ring) },
    workers: workerNodes,
    problems,
    nextChange: nextChange(observation, plan),
  };
}

/** What a row is made from, besides its own machine. */
interface Seen {
  readonly observation: Observation;
  readonly nodes: readonly NodeFacts[] | undefined;
  /** By member id. */
  readonly lags: ReadonlyMap<string, number>;
  readonly now: Date;
}

function machineStatus(seen: Seen, report: MachineReport, facts: MachineFacts | undefined): ControlPlaneStatus {
  const { observation, nodes, now } = seen;
  const { name, address, wanted, unreachable, ready } = report;
  const member = memberOf(observation, report);
  const first = [...(facts?.certificates ?? [])].sort((a, b) => Number(a.expires) - Number(b.expires))[0];
  // Without a list, nobody knows who is in it.
  const unlisted = unreachable !== undefined && observation.members.length === 0 ? "unknown" : "no member";
  return {
    ...nodeStatus(name, nodes),
    address,
    leaving: !wanted,
    unreachable,
    ...(member ? memberStatus(seen, member) : { role: unlisted, alarms: [] }),
    components: unreachable !== undefined || ready === undefined ? "unknown" : ready ? "ready" : "not ready",
    certificate: first && expiry(first, now),
  };
}

function ghostStatus(seen: Seen, member: EtcdMember): ControlPlaneStatus {
  return { ...nodeStatus(nameOf(member), seen.nodes), leaving: false, ...memberStatus(seen, member), components: "unknown" };
}

function memberStatus({ lags }: Seen, { id, leader, learner, sick, status }: EtcdMember) {
  return {
    role: leader ? ("leader" as const) : learner ? ("learner" as const) : ("follower" as const),
    sick,
    // Every member tells the alarms of all; those that make it sick are its own.
    alarms: [...(sick ?? "").matchAll(/alarm (\w+)/g)].map(([, kind]) => kind!),
    lag: lags.get(id),
    dbBytes: status?.dbSize,
    dbInUseBytes: status?.dbSizeInUse,
  };
}

/** Log indexes are compared as one machine saw them, in one moment: between two looks the log goes on. */
function lagsOf({ machines }: Observation): Map<string, number> {
  const views = machines.flatMap(({ etcd }) => etcd ?? []).sort((a, b) => b.statuses.length - a.statuses.length);
  const statuses = views[0]?.statuses ?? [];
  const leader = statuses.find(({ memberId, leader }) => memberId === leader);
  return new Map(leader ? statuses.map(({ memberId, raftIndex }) => [memberId, Math.max(0, leader.raftIndex - raftIndex)]) : []);
}

function nodeStatus(name: string, nodes: readonly NodeFacts[] | undefined): NodeStatus {
  const node = nodes?.find((candidate) => candidate.name === name);
  if (!node) return { name, node: nodes ? "missing" : "unknown", cordoned: false };
  return { name, node: node.ready ? "Ready" : "NotReady", cordoned: node.cordoned, kubelet: node.kubelet };
}

const expiry = ({ name, expires }: Certificate, now: Date) => ({ name, expires, days: Math.floor((Number(expires) - Number(now)) / dayMs) });

function endpointStatus(
  { name, port, vip, external }: SharedSettings["endpoint"],
  machines: readonly MachineReport[],
  facts: StatusFacts["machines"],
): EndpointStatus {
  if (external) return { name, port, kind: "external", address: external };
  if (!vip) return { name, port, kind: "machine" };
  return { name, port, kind: "vip", address: vip, holders: machines.filter((_, index) => facts[index]?.holdsVip).map((machine) => machine.name) };
}

function controlPlaneProblems(status: ControlPlaneStatus): string[] {
  const { name, address, leaving, unreachable, role, sick, components, certificate } = status;
  const found = [
    ...(address === undefined ? [`etcd member ${name} runs on no machine of the settings`] : []),
    ...(leaving ? [`${name} has left the settings and is not out of the cluster yet`] : []),
    ...(unreachable === undefined ? [] : [`${name} cannot be reached over SSH: ${unreachable}`]),
    ...(role === "no member" && !leaving && unreachable === undefined ? [`${name} is no member of etcd`] : []),
    ...(sick === undefined ? [] : [`etcd on ${name}: ${sick}`]),
    ...(components === "not ready" ? [`apiserver, controller manager or scheduler on ${name} is not ready`] : []),
    ...(certificate && certificate.days < certificateDays ? [certificateProblem(name, certificate)] : []),
  ];
  return leaving || address === undefined ? found : [...found, ...nodeProblems(status)];
}

function certificateProblem(machine: string, { name, days }: { readonly name: string; readonly days: number }): string {
  const when = days < 0 ? "has expired" : `expires in ${days} days`;
  const next = name === "kubelet" ? "look at `journalctl -u kubelet` there: it should have renewed it" : "`kubeadm certs renew all` there, then restart the control plane's pods";
  return `certificate ${name} on ${machine} ${when}: ${next}`;
}

const nodeProblems = ({ name, node }: NodeStatus): string[] =>
  node === "NotReady" ? [`node ${name} is not Ready`] : node === "missing" ? [`the cluster has no node ${name}`] : [];

function quotaProblems({ members }: Observation): string[] {
  return members.flatMap((member) => {
    const { dbSize = 0, dbSizeQuota = 0 } = member.status ?? {};
    return dbSizeQuota > 0 && dbSize > fullShare * dbSizeQuota
      ? [`etcd on ${nameOf(member)} uses ${Math.round((100 * dbSize) / dbSizeQuota)} % of its quota: compact and defragment it before it takes no more writes`]
      : [];
  });
}

function endpointProblems({ address, holders }: EndpointStatus, facts: StatusFacts["machines"]): string[] {
  if (!holders) return [];
  if (holders.length > 1) return [`${holders.join(" and ")} hold ${address} at once: they do not hear each other's VRRP`];
  return holders.length === 0 && facts.every((machine) => machine !== undefined) ? [`no control plane holds ${address}`] : [];
}

function nextChange(observation: Observation, plan: Plan): string[] {
  if (plan.steps.length > 0) return ["`pulumi up` would do this:", ...planText(plan)];
  if (plan.refused) return [`none: ${plan.refused.reason}`, `next: ${plan.refused.next}`];
  const { voters, healthy } = ringOf(observation);
  const spare = healthy - quorum(voters);
  if (voters === 1) return ["a single control plane cannot be taken down without an interruption; growing to 3 is safe"];
  if (spare <= 0) return ["none: no control plane may be taken down"];
  return [`${spare === 1 ? "any one control plane" : `any ${spare} control planes`} may be taken down; be sure that all are healthy again before the next`];
}
