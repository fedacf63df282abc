import { z } from "zod";
import { inspect } from "../machine/inspect.ts";
import { runJob, type JobRequest } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import { combine } from "../quorum/combine.ts";
import type { MachineReport, Observation } from "../quorum/observation.ts";
import { hasQuorum, ringOf, type Ring } from "../quorum/ring.ts";
import type { Member } from "./member.ts";
import { observe, type ObservedMachine } from "./observe.ts";
import { observed, type SharedSettings } from "./reconcile.ts";
import { resetMachine } from "./reset.ts";

/** What is to be recovered. */
export interface RecoveryRequest {
  readonly cluster: SharedSettings;
  readonly members: readonly Member[];
  /** Control planes that left the settings and may still be members. */
  readonly leaving: readonly Member[];
  /** The cluster that the state remembers. */
  readonly caCertHash?: string;
  /** Name of the machine that becomes the only member. */
  readonly from: string;
  /** File on that machine; undefined: from its own data, or from a file that is still to be copied there. */
  readonly snapshot?: string;
}

/** A control plane beside the one that is recovered from. */
export interface OtherControlPlane {
  readonly machine: ObservedMachine;
  readonly report: MachineReport;
}

/** What a recovery does, before anything is done. */
export interface Recovery {
  readonly cluster: SharedSettings;
  readonly from: ObservedMachine;
  readonly observation: Observation;
  /** Undefined: its own data. */
  readonly snapshot?: string;
  /** Where an earlier run, which did not end, keeps how the machine was. */
  readonly unfinished?: string;
  /** Can be reached: etcd is stopped there first, since it would go on with the old cluster, and they are reset at the end. */
  readonly reset: readonly OtherControlPlane[];
  /** Cannot be reached: they must not come back as they are. */
  readonly lost: readonly OtherControlPlane[];
  /** What the cluster still knows of the others, those that an earlier run has reset among them. */
  readonly nodes: readonly string[];
}

/** A recovery that must not be done. */
export class RecoveryRefused extends Error {
  override readonly name = "RecoveryRefused";

  constructor(cause: string, next: string) {
    super(`recovery refused: ${cause}.\nNext: ${next}.`);
  }
}

const script = "etcd-recover.sh";
/** Two starts of etcd on a slow machine, a copy of its data, and the apiserver. */
const deadlineSeconds = 1800;

const inspectionSchema = z.object({ facts: z.object({ unfinished: z.string(), snapshotBytes: z.number().nullable() }) });
const resultSchema = z.object({ kept: z.string() });

/**
 * Looks at the control plane and says what its recovery would do; changes nothing.
 *
 * @throws RecoveryRefused when there is a quorum, or the machine cannot be recovered from; MachineError when a machine cannot be looked at
 */
export async function planRecovery(request: RecoveryRequest, reporter: Reporter): Promise<Recovery> {
  const machines = observed(request.members, request.leaving);
  const observation = await observe(machines, request.cluster, reporter);
  const from = survivorOf(request, machines, observation);
  const environment = { NODE_NAME: from.name, SNAPSHOT: request.snapshot ?? "" };
  const document = await inspect(from.target, "etcd-recover", renderScript(script), environment, reporter);
  const { unfinished, snapshotBytes } = inspectionSchema.parse(document).facts;
  if (request.snapshot !== undefined && !snapshotBytes) {
    throw new RecoveryRefused(`there is no snapshot ${request.snapshot} on ${from.name}, nor on this computer`, "name one that is there; `pulumi-kubeadm snapshot` tells where it keeps them");
  }
  refuseQuorum(observation, from, unfinished !== "");
  if (request.snapshot === undefined && isLearner(observation.machines[machines.indexOf(from)]!)) {
    throw new RecoveryRefused(`${from.name} is a learner, and etcd does not let a learner go on alone`, "name a voter with --from, or recover from a snapshot");
  }
  const others = machines.flatMap((machine, index) => (machine === from ? [] : [{ machine, report: observation.machines[index]! }]));
  const ours = others.filter(({ report }) => !isStrange(request.caCertHash, report));
  return {
    cluster: request.cluster,
    from,
    observation,
    snapshot: request.snapshot,
    ...(unfinished && { unfinished }),
    reset: ours.filter(({ report }) => report.unreachable === undefined && report.state !== "none"),
    lost: ours.filter(({ report }) => report.unreachable !== undefined),
    nodes: [...new Set(ours.map(({ machine }) => machine.name))].filter((name) => name !== from.name),
  };
}

function survivorOf({ from, members, leaving, cluster, caCertHash }: RecoveryRequest, machines: readonly ObservedMachine[], { machines: reports }: Observation): ObservedMachine {
  // Of an old and a new machine of the same name it is the one that holds the control plane.
  const named = machines.map((machine, index) => ({ machine, report: reports[index]! })).filter(({ machine }) => machine.name === from);
  const { machine, report } = named.find(({ report }) => report.state === "member") ?? named[0] ?? {};
  const choose = "name another one with --from";
  if (!machine || !report) {
    const names = [...members, ...leaving].map(({ name }) => name).join(", ");
    throw new RecoveryRefused(`${from} is no control plane of the cluster ${cluster.name}, which has ${names}`, choose);
  }
  if (report.unreachable !== undefined) throw new RecoveryRefused(`${from} cannot be reached: ${report.unreachable}`, `bring it back, or ${choose}`);
  if (report.state !== "member") throw new RecoveryRefused(`${from} holds no control plane of this cluster that was finished`, choose);
  if (isStrange(caCertHash, report)) {
    throw new RecoveryRefused(`${from} holds the control plane of another cluster`, choose);
  }
  return machine;
}

/**
 * Whatever machine sees a quorum, the cluster lives: a recovery would split it in two. Each view counts by itself, since views that
 * differ are put together to nothing.
 */
function refuseQuorum({ machines }: Observation, from: ObservedMachine, unfinished: boolean): void {
  // A recovery that did not end may have made a cluster of one already.
  const views = machines.filter((report) => !(unfinished && report.name === from.name && report.wanted === from.wanted)).map((report) => ({ report, ring: ringOf(combine([report])) }));
  const living = views.find(({ ring }) => hasQuorum(ring));
  if (living) {
    throw new RecoveryRefused(
      `etcd has quorum: ${ringText(living.ring)}, as ${living.report.name} sees it`,
      "run `pulumi up`: it takes out members that are dead, and joins others",
    );
  }
}

const isLearner = ({ etcd }: MachineReport): boolean => etcd?.members.some(({ id, learner }) => id === etcd.memberId && learner) ?? false;

const ringText = ({ voters, healthy }: Ring): string => `${healthy} of ${voters} voters healthy`;

/** A control plane that is not of this cluster is nobody's business here. */
const isStrange = (known: string | undefined, { state, caCertHash }: MachineReport): boolean =>
  state === "foreign" || (known !== undefined && caCertHash !== undefined && caCertHash !== known);

/** Says what the recovery does, for whoever is asked to confirm it. */
export function recoveryText({ cluster, from, observation, snapshot, unfinished, reset, lost, nodes }: Recovery): string[] {
  const own = indexOf(observation.machines.find(({ name, wanted }) => name === from.name && wanted === from.wanted)!);
  const newer = reset.filter(({ report }) => (indexOf(report) ?? 0) > (own ?? Infinity));
  const ring = ringOf(observation);
  const state = ring.voters > 0 ? ringText(ring) : (observation.disagreement ?? "no etcd answers");
  return [
    `cluster ${cluster.name}: etcd has no quorum (${state})`,
    "",
    `  ${from.name} becomes the only member of etcd, from ${snapshot === undefined ? `its own data${indexText(own)}` : `the snapshot ${snapshot}`}`,
    ...reset.map(({ machine, report }) => `  ${machine.name} is reset in the end: its part of the old cluster is deleted${indexText(indexOf(report))}`),
    ...lost.map(({ machine, report }) => `  ${machine.name} cannot be reached and is left as it is: ${report.unreachable}`),
    "",
    "what happens, in this order:",
    ...numbered([
      `everything is checked on ${from.name}${snapshot === undefined ? "" : ", and the snapshot restored beside etcd's data"}; nothing has changed until then`,
      ...reset.map(({ machine }) => `${machine.name}: etcd is stopped; its data stays for now`),
      `${from.name}: etcd is stopped; its data and the manifests are kept ${unfinished ? `(they are in ${unfinished} already)` : "in /var/lib/pulumi-kubeadm/recover-<time>"}`,
      snapshot === undefined
        ? `${from.name}: etcd is started with --force-new-cluster, which leaves all others out, and then again without it`
        : `${from.name}: etcd and the apiserver are started from the restored data, as a new cluster of one`,
      ...(nodes.length > 0 ? [`the nodes ${nodes.join(", ")} are deleted from the cluster; those that join again are made anew`] : []),
      ...reset.map(({ machine }) => `${machine.name} is reset`),
    ]),
    "",
    snapshot === undefined
      ? `What ${from.name} had not received when the quorum was lost is lost.`
      : "Everything that changed since the snapshot was taken is lost. Pods that run go on; what the API says of them is from then.",
    ...newer.map(({ machine, report }) => `WARNING: ${machine.name} has newer data${indexText(indexOf(report))} than ${from.name}${indexText(own)}: recover from ${machine.name} instead.`),
    ...(lost.length > 0
      ? [
          `${lost.map(({ machine }) => machine.name).join(" and ")} must be switched off now, and must never come back with the disk as it is: old members that meet`,
          "would go on with the old cluster beside the new one. Reinstall or reset such a machine before it is back in the network.",
        ]
      : []),
  ];
}

const numbered = (lines: readonly string[]): string[] => lines.map((line, index) => `  ${index + 1}. ${line}`);
const indexText = (index: number | undefined): string => (index === undefined ? "" : ` (log index ${index})`);

/** How far a machine's own etcd has come. */
const indexOf = ({ etcd }: MachineReport): number | undefined => etcd?.statuses.find(({ memberId }) => memberId === etcd.memberId)?.raftIndex;

/**
 * Does what was planned. etcd is stopped on the others before the survivor is a cluster of its own, so that no two of them can go on
 * with the old one; their data goes only when the survivor runs. Run again after it was broken off, it goes on.
 *
 * @returns where it is kept on the machine how it was before
 * @throws RecoveryRefused when a quorum is there by now; MachineError with the cause, the evidence and the next step
 */
export async function recover(recovery: Recovery, holder: string, reporterOf: (machine: string) => Reporter): Promise<string> {
  const { cluster, from, reset, lost, unfinished, snapshot, nodes } = recovery;
  reporterOf(from.name).progress("looking again");
  const all = [from, ...[...reset, ...lost].map(({ machine }) => machine)];
  // A machine that was waited for in vain may have come back while somebody thought about it.
  refuseQuorum(await observe(all, cluster, reporterOf(from.name)), from, unfinished !== undefined);

  const job = ({ name, target }: Member, verb: JobRequest["verb"], file: string, environment: Record<string, string>) =>
    runJob({ target, stage: file.replace(/\.sh$/, ""), verb, script: renderScript(file), environment, deadlineSeconds, reporter: reporterOf(name), holder });
  const onSurvivor = (phase: "prepare" | "recover") =>
    job(from, "apply", script, {
      PHASE: phase,
      NODE_NAME: from.name,
      API_PORT: String(cluster.endpoint.port),
      SNAPSHOT: snapshot ?? "",
      NODES: nodes.join(" "),
    });
  await onSurvivor("prepare");
  await Promise.all(reset.map(({ machine }) => job(machine, "apply", script, { PHASE: "stop", NODE_NAME: machine.name })));
  const { kept } = resultSchema.parse(await onSurvivor("recover"));
  await Promise.all(
    reset.map(({ machine }) =>
      // Its etcd is stopped, so it can wait: the next `up` resets what is no member.
      resetMachine(cluster.owner, machine.target, holder, reporterOf(machine.name)).catch((error: Error) => reporterOf(machine.name).warn(`it is not reset yet: ${error.message}`)),
    ),
  );
  return kept;
}
