import type { Preparation } from "../kubeadm/settings.ts";
import { byHandText } from "../machine/by-hand.ts";
import { stages } from "../machine/stages/index.ts";
import type { Glance, Sight } from "./glance.ts";
import type { Entry, Journal } from "./journal.ts";
import { failingPods } from "./pods.ts";
import type { FailingPod, Problem } from "./problem.ts";
import type { Student } from "./roster.ts";

/** What is seen of one machine of a student. */
export interface MachineStatus {
  readonly machine: string;
  readonly host: string;
  /**
   * `bare`: nothing of the class is on it. `prepared`: it belongs to the class and is no node yet. `by-hand`: somebody has made a cluster
   * on it. `node`: it is in the student's cluster.
   */
  readonly state: "unreachable" | "refused" | "foreign" | "bare" | "prepared" | "by-hand" | "node";
  /** What somebody made by hand, in a few words. */
  readonly byHand?: string;
}

/** How a student's cluster is. */
export type State =
  /** Every node is Ready, or every machine is prepared where the class wants no more; and the last command ended well. */
  | "ready"
  /** A command works on it now. */
  | "working"
  /** It is made, and a node or the whole cluster is not Ready. */
  | "not-ready"
  /** Something is there, and not all of it. */
  | "partial"
  /** The machines are bare. */
  | "none"
  /** A machine does not answer, or lets nobody in. */
  | "unreachable";

/** Who has something to do: `act`, it is broken; `look`, it is ready and something is not as it should be; `start`, nobody has begun. */
export type Need = "act" | "look" | "start" | "nothing";

/** What is seen of one student: what `classroom status` and the board show. */
export interface StudentStatus {
  readonly student: Student;
  readonly state: State;
  readonly need: Need;
  /** What the class wants: a cluster, or machines that are prepared. */
  readonly prepareTo: Preparation;
  readonly machines: readonly MachineStatus[];
  /** What the machines have come to, the one that is behind most: `bare`, a stage, `node`; undefined when none could be looked at. */
  readonly stage?: string;
  /** What is being done now. */
  readonly doing?: string;
  /** Nodes of the student that are Ready; undefined when nobody tells. */
  readonly nodesReady?: number;
  /** Nodes that there are to be. */
  readonly nodes: number;
  /** Undefined when the cluster does not tell. */
  readonly failingPods?: { readonly count: number; readonly first?: FailingPod };
  /** The machine with the smallest part of its disk free. */
  readonly disk?: { readonly machine: string; readonly availableBytes: number; readonly sizeBytes: number };
  /** The certificate that ends first; days are whole ones, negative when it has ended. */
  readonly certificate?: { readonly machine: string; readonly name: string; readonly days: number };
  /** What the last command did. */
  readonly last?: Entry;
  /** The one to see to first comes first. */
  readonly problems: readonly Problem[];
}

/**
 * True when nothing is left to do for a student. `classroom status` calls everybody else not ready, and `classroom up --only failed`
 * takes everybody else.
 */
export const isReady = ({ state }: Pick<StudentStatus, "state">): boolean => state === "ready";

/** What a command left, as Journal tells it. */
export type Told = Pick<Journal, "last" | "runningElsewhere" | "wasKilled">;

/**
 * Free part of the disk, in percent, below which the kubelet begins to throw images and then pods out.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds
 */
const fullDiskPercent = 15;

/** A certificate that ends within a class of two weeks is told before it does. */
const endsSoonDays = 14;

const dayMs = 86_400_000;

/**
 * Puts together what the machines tell and what the last command left. Pure.
 *
 * @param prepareTo how far the class wants the machines
 * @param now when the machines were glanced at
 */
export function statusOf(student: Student, glances: readonly Glance[], told: Told, prepareTo: Preparation, now: Date = new Date()): StudentStatus {
  const machines = glances.map(machineStatus);
  // What another cluster's machine tells is not the student's.
  const ours = glances.flatMap(({ machine, owner, sight }) => (sight && (sight.owner === owner || sight.owner === "") ? [{ machine, ...sight }] : []));
  const last = told.last(student.id);
  const running = told.runningElsewhere(student.id);
  const job = ours.flatMap(({ job }) => job ?? [])[0];
  const working = running !== undefined || job !== undefined;
  const doing = running?.doing ?? (job && [`${job.stage} ${job.verb}`, job.doing].filter(Boolean).join(": "));
  const stage = stageOf(glances);
  const cluster = clusterOf(ours);
  const isReadyNode = (name: string) => cluster?.nodes?.get(name) === true;
  const disk = fullestDisk(ours);
  const certificate = firstToEnd(ours, now);
  const failing = cluster?.pods;

  const faults = glances.flatMap(({ machine, fault }): Problem[] => (fault ? [{ kind: fault.kind, machine, said: fault.problem, next: fault.next }] : []));
  const made = machines.every(({ state }) => state === "node");
  const prepared = prepareTo !== "cluster" && machines.every(({ state }) => state === "prepared" || state === "by-hand");
  const failed: Problem[] = last?.ok === false ? [{ kind: "failed", command: last.command, said: last.problem ?? "", next: last.next }] : told.wasKilled(student.id) ? [{ kind: "killed", command: last!.command }] : [];
  const foreign = glances.flatMap(({ machine, sight }, index): Problem[] => (machines[index]!.state === "foreign" ? [{ kind: "foreign", machine, owner: sight!.owner }] : []));
  const inTheWay = prepareTo === "cluster" ? machines.flatMap(({ machine, byHand }): Problem[] => (byHand === undefined ? [] : [{ kind: "by-hand", machine, made: byHand }])) : [];
  const ended: Problem[] = certificate && certificate.days < endsSoonDays ? [{ kind: "certificate", ...certificate }] : [];
  const sick = made ? clusterProblems(machines, cluster) : [];
  const state = stateOf({ working, machines, whole: prepareTo === "cluster" ? made : prepared, failed: failed.length > 0, sick: sick.length > 0 });
  const small: Problem[] = [
    ...(disk && percentOf(disk) < fullDiskPercent ? [{ kind: "disk", machine: disk.machine, availableBytes: disk.availableBytes, percent: percentOf(disk) } as const] : []),
    ...(failing?.length ? [{ kind: "pods", failing: failing.length, first: failing[0]! } as const] : []),
  ];
  const left: Problem[] = state === "none" ? [{ kind: "not-begun" }] : state === "partial" && failed.length + foreign.length + inTheWay.length === 0 ? [{ kind: "unfinished", stage: stage! }] : [];
  // `up` writes down what kept it from a machine behind the line of the roster and the machine's name.
  const isSeenStill = last?.command === "up" && glances.some(({ fault }) => fault && last.problem?.endsWith(fault.problem));
  // While a command works, nodes come and go.
  const problems = working ? faults : [...faults, ...foreign, ...inTheWay, ...(isSeenStill ? [] : failed), ...ended, ...sick, ...left, ...small];
  return {
    student,
    state,
    need: needOf(state, problems),
    prepareTo,
    machines,
    ...(stage !== undefined && { stage }),
    ...(doing && { doing }),
    ...(cluster?.nodes && { nodesReady: machines.filter(({ machine }) => isReadyNode(machine)).length }),
    nodes: machines.length,
    ...(failing && { failingPods: { count: failing.length, ...(failing[0] && { first: failing[0] }) } }),
    ...(disk && { disk }),
    ...(certificate && { certificate }),
    ...(last && { last }),
    problems,
  };
}

function machineStatus({ machine, host, owner, fault, sight }: Glance): MachineStatus {
  const place = { machine, host };
  if (fault) return { ...place, state: fault.kind === "unreachable" ? "unreachable" : "refused" };
  if (sight!.owner === "") return { ...place, state: "bare" };
  if (sight!.owner !== owner) return { ...place, state: "foreign" };
  if (sight!.byHand) return { ...place, state: "by-hand", byHand: byHandText(sight!.byHand) };
  return { ...place, state: sight!.joined ? "node" : "prepared" };
}

interface Seen {
  readonly working: boolean;
  readonly machines: readonly MachineStatus[];
  /** All that the class wants is there: every machine has joined, or is prepared. */
  readonly whole: boolean;
  /** The last command did not come to its end. */
  readonly failed: boolean;
  /** Nodes are missing or not Ready, or the cluster does not answer. */
  readonly sick: boolean;
}

function stateOf({ working, machines, whole, failed, sick }: Seen): State {
  if (working) return "working";
  if (machines.some(({ state }) => state === "unreachable" || state === "refused")) return "unreachable";
  if (machines.every(({ state }) => state === "bare")) return failed ? "partial" : "none";
  if (!whole || failed) return "partial";
  return sick ? "not-ready" : "ready";
}

function needOf(state: State, problems: readonly Problem[]): Need {
  if (state === "none") return "start";
  if (state === "ready" || state === "working") return problems.length === 0 ? "nothing" : state === "ready" ? "look" : "act";
  return "act";
}

/** How far the machines are, the one that is behind most. */
function stageOf(glances: readonly Glance[]): string | undefined {
  const order = ["bare", ...stages.map(({ name }) => name)];
  const reached = glances.flatMap(({ owner, sight }) => (sight ? [sight.owner !== owner ? "bare" : sight.joined ? "node" : (sight.stages.at(-1) ?? "claim")] : []));
  const rank = (stage: string) => (stage === "node" ? Infinity : order.indexOf(stage) < 0 ? order.length : order.indexOf(stage));
  return reached.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** What the cluster says of itself, through the first control plane that answers. */
interface Cluster {
  /** Whether each node is Ready, by name; undefined when nobody answers. */
  readonly nodes?: ReadonlyMap<string, boolean>;
  readonly pods?: readonly FailingPod[];
  /** Why nobody answers. */
  readonly error?: string;
}

function clusterOf(sights: readonly Sight[]): Cluster | undefined {
  const answers = sights.flatMap(({ cluster }) => cluster ?? []);
  const answer = answers.find((one) => "nodes" in one) ?? answers[0];
  if (!answer) return undefined;
  if ("error" in answer) return { error: answer.error };
  // NAME STATUS ROLES AGE VERSION; STATUS may be `Ready,SchedulingDisabled`.
  const nodes = answer.nodes.split("\n").map((line): [string, boolean] => {
    const [name = "", status = ""] = line.trim().split(/\s+/);
    return [name, status.split(",")[0] === "Ready"];
  });
  return { nodes: new Map(nodes), pods: failingPods(answer.pods) };
}

/** What is wrong with a cluster that all machines have joined. */
function clusterProblems(machines: readonly MachineStatus[], cluster: Cluster | undefined): Problem[] {
  if (!cluster?.nodes) return [{ kind: "silent-cluster", said: cluster?.error ?? "no control plane has /etc/kubernetes/admin.conf" }];
  const names = machines.map(({ machine }) => machine);
  const missing = names.filter((name) => !cluster.nodes!.has(name));
  const notReady = names.filter((name) => cluster.nodes!.get(name) === false);
  return [
    ...(missing.length > 0 ? [{ kind: "nodes-missing", nodes: missing } as const] : []),
    ...(notReady.length > 0 ? [{ kind: "nodes-not-ready", nodes: notReady } as const] : []),
  ];
}

const percentOf = ({ availableBytes, sizeBytes }: { readonly availableBytes: number; readonly sizeBytes: number }): number => Math.floor((100 * availableBytes) / Math.max(1, sizeBytes));

type SightOf = Sight & { readonly machine: string };

function fullestDisk(sights: readonly SightOf[]): StudentStatus["disk"] {
  const disks = sights.flatMap(({ machine, disk }) => (disk ? [{ machine, ...disk }] : []));
  return disks.toSorted((a, b) => a.availableBytes / a.sizeBytes - b.availableBytes / b.sizeBytes)[0];
}

function firstToEnd(sights: readonly SightOf[], now: Date): StudentStatus["certificate"] {
  const all = sights.flatMap(({ machine, certificates }) => certificates.map(({ name, expires }) => ({ machine, name, days: Math.floor((expires.getTime() - now.getTime()) / dayMs) })));
  return all.toSorted((a, b) => a.days - b.days)[0];
}
