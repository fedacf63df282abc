import type { ClusterSettings } from "../kubeadm/settings.ts";
import { MachineError, PassingError } from "../machine/errors.ts";
import { waitForJob } from "../machine/job.ts";
import type { Reporter } from "../machine/reporter.ts";
import { nextStep } from "../quorum/next-step.ts";
import type { Observation } from "../quorum/observation.ts";
import type { Refusal, Step } from "../quorum/step.ts";
import { describe, type ControlPlaneResult } from "./describe.ts";
import { initialise, join, takeUp } from "./member-in.ts";
import { handAddressOn, removeMember } from "./member-out.ts";
import type { Member } from "./member.ts";
import { MembershipLease } from "./membership-lease.ts";
import { deleteNode, labelNode, uncordonNode, withRoleTaint } from "./node.ts";
import { inspectMember, look, observe, reportOf, type ObservedMachine } from "./observe.ts";
import { resetMachine, resetUnlessGone } from "./reset.ts";
import { survivors } from "./survivors.ts";

/** The settings that every member of the cluster shares. */
export type SharedSettings = Pick<
  ClusterSettings,
  "name" | "kubernetesVersion" | "endpoint" | "network" | "kubeProxyMode" | "imageRepository" | "ignorePreflightErrors" | "etcd"
> & { readonly owner: string };

/** What the control plane is given. */
export interface ControlPlaneInputs {
  readonly cluster: SharedSettings;
  readonly members: Member[];
  /** True when there are no workers: then the control plane takes pods. */
  readonly schedulable: boolean;
}

/** What is known of the control plane from before. */
export interface ControlPlaneHistory {
  /** Undefined when nothing of it is in the state. */
  readonly inputs?: ControlPlaneInputs;
  /** Machines that have left the settings, at the last time or at an earlier one that failed, and may still be members. */
  readonly leaving: readonly Member[];
  /** Machines that were leaving at the last time, and are wanted again. */
  readonly returned: readonly Member[];
  /** The cluster that the state remembers. */
  readonly caCertHash?: string;
}

/** What a step works with. */
export interface Work {
  readonly inputs: ControlPlaneInputs;
  readonly machines: readonly ObservedMachine[];
  readonly observation: Observation;
  readonly holder: string;
  readonly reporter: Reporter;
}

/** A busy machine's apiserver may be ready at the end of a start and not a moment later. More often than this is no chance. */
const mostTimes = 3;

/**
 * Observes the control plane, does the next allowed step, and observes again, until every wanted machine is a healthy voter and no
 * other is a member. No list of steps is made in advance: what is true now decides each of them.
 *
 * @throws MachineError with the cause, the evidence and the next step
 */
export async function reconcile(
  inputs: ControlPlaneInputs,
  before: ControlPlaneHistory,
  holder: string,
  reporter: Reporter,
): Promise<ControlPlaneResult> {
  const lease = new MembershipLease(holder, reporter);
  try {
    return await stepByStep(inputs, before, lease, holder, reporter);
  } finally {
    await lease.release();
  }
}

async function stepByStep(
  inputs: ControlPlaneInputs,
  before: ControlPlaneHistory,
  lease: MembershipLease,
  holder: string,
  reporter: Reporter,
): Promise<ControlPlaneResult> {
  const { members } = inputs;
  let machines = observed(members, before.leaving);
  const taken = new Map<string, number>();
  let dead: string | undefined;
  const toldToLeave = new Set<ObservedMachine>();
  const triedAgain = new Set<string>();
  for (;;) {
    mustBeHeard(reporter);
    reporter.progress("looking at the control plane");
    const seen = await look(machines, inputs.cluster, reporter);
    const step = nextStep(seen.observation, before.caCertHash);
    const work = { inputs, ...seen, holder, reporter };
    if (step.kind === "nothing") {
      await finish(before, work);
      return describe(inputs, reporter);
    }
    if (step.kind === "refuse") throw new MachineError({ machine: members[0]!.name, stage: "control-plane", cause: step.reason, next: step.next });
    // What another run did meanwhile must be seen.
    if (changesMembers(step) && (await lease.hold(survivors(work, undefined)))) continue;
    // Those who stay do not tell these any more that they have the API's address: these would take it, too.
    const leaving = leavers(work).filter((machine) => !toldToLeave.has(machine));
    leaving.forEach((machine) => toldToLeave.add(machine));
    await Promise.all(leaving.map((machine) => handAddressOn(machine, reporter)));
    // One time-out kills no voter: a machine that is merely slow answers when it is looked at again.
    if (step.kind === "remove" && !step.reachable && dead !== step.memberId) {
      dead = step.memberId;
      reporter.progress(`${step.member} seems dead: looking again before it is removed`);
      continue;
    }
    dead = undefined;
    countTimes(taken, step);
    mustBeHeard(reporter);
    try {
      await take(step, work);
    } catch (error) {
      if (!(error instanceof PassingError) || triedAgain.has(error.machine)) throw error;
      triedAgain.add(error.machine);
      reporter.warn(`${error.machine}: ${error.cause} (${error.logPath}); it is looked at again, cleared and tried once more`);
      continue;
    }
    // A machine that is gone for good is not waited for again.
    if (step.kind === "remove" && !step.reachable) machines = machines.filter(({ name, wanted }) => name !== step.machine || wanted !== step.wanted);
  }
}

/** Who is not listened to any more may have been followed by another run, which must be alone. */
function mustBeHeard(reporter: Reporter): void {
  if (reporter.heard?.() === false) throw new Error("Pulumi has ended: nothing more is begun");
}

/** Control planes that have left the settings and answer. */
const leavers = ({ machines, observation }: Work): ObservedMachine[] =>
  machines.filter((machine) => !machine.wanted && reportOf(machine, observation)?.state === "member");

/** What is left to do when all wanted machines are healthy voters. */
async function finish(before: ControlPlaneHistory, work: Work): Promise<void> {
  const { reporter } = work;
  const { members, schedulable } = work.inputs;
  // A run that ended between a removal and this has left the node of a member that is gone.
  for (const { name } of before.leaving) {
    if (!members.some((member) => member.name === name)) await deleteNode(members, name, reporter);
  }
  for (const member of before.returned) {
    await takeUp(member, work);
    await uncordonNode(members, member.name, reporter);
  }
  for (const member of members) {
    const old = before.inputs?.members.find(({ name }) => name === member.name);
    await labelNode(members, withRoleTaint(member, schedulable), old && withRoleTaint(old, before.inputs!.schedulable), reporter);
  }
}

/** The machines of a control plane as they are looked at. */
export function observed(members: readonly Member[], leaving: readonly Member[]): ObservedMachine[] {
  return [...members.map((member) => ({ ...member, wanted: true })), ...leaving.map((member) => ({ ...member, wanted: false }))];
}

/** A step that changes something. */
type Doing = Exclude<Step, { kind: "nothing" } | Refusal>;

/** A join that runs already is only waited for. */
const changesMembers = (step: Doing): boolean => step.kind === "remove" || (step.kind === "join" && !step.running);

function countTimes(taken: Map<string, number>, { reason, ...step }: Doing): void {
  const key = JSON.stringify(step);
  const times = (taken.get(key) ?? 0) + 1;
  taken.set(key, times);
  if (times <= mostTimes) return;
  const machine = step.machine ?? "the control plane";
  throw new MachineError({
    machine,
    stage: "control-plane",
    cause: `${step.kind} was done ${mostTimes} times, and still: ${reason}`,
    next: `look at \`journalctl -u kubelet\` and \`crictl ps -a\` on ${machine}, and run \`pulumi up\` again`,
  });
}

async function take(step: Doing, work: Work): Promise<void> {
  work.reporter.progress(`${step.kind} ${step.kind === "remove" ? step.member : step.machine}: ${step.reason}`);
  if (step.kind === "remove") return removeMember(step, work);
  // An old machine and the one that takes its place may have one name.
  const wanted = "wanted" in step ? step.wanted : true;
  const machine = work.machines.find((candidate) => candidate.name === step.machine && candidate.wanted === wanted)!;
  switch (step.kind) {
    case "init":
      return reportOf(machine, work.observation)?.state === "working" ? waitForJob(machine.target, work.reporter) : initialise(machine, work);
    case "start":
      return takeUpAll(step.wanted, work);
    case "join":
      return step.running ? waitForJob(machine.target, work.reporter) : join(machine, work);
    case "reset":
      await resetMachine(work.inputs.cluster.owner, machine.target, work.holder, work.reporter);
      // Its kubelet may have been a node before etcd took it in, and kubeadm joins none whose node is still taken for Ready.
      if (wanted) await deleteNode(survivors(work, machine), machine.name, work.reporter);
  }
}

/**
 * All that are not ready at once: after a loss of power none of them becomes ready before enough others are there.
 *
 * @param wanted false: also those that leave, because the quorum needs them
 */
async function takeUpAll(wanted: boolean, work: Work): Promise<void> {
  const stopped = work.machines.filter((machine) => {
    const report = reportOf(machine, work.observation);
    return report?.state === "member" && !report.ready && (machine.wanted || !wanted);
  });
  await Promise.all(stopped.map((machine) => takeUp(machine, work)));
}

/** What differs from a control plane in order, a sentence each. */
export async function inspectControlPlane({ cluster, members }: ControlPlaneInputs, caCertHash: string, reporter: Reporter): Promise<string[]> {
  const documents = await Promise.all(members.map((member) => inspectMember(member, cluster, reporter)));
  const drift = documents.flatMap((document) => document.drift);
  const step = nextStep(await observe(observed(members, []), cluster, reporter), caCertHash);
  return step.kind === "nothing" || step.kind === "start" ? drift : [...drift, step.reason];
}

/** Takes the control plane from its machines, quorum or not, all at once. A machine that is gone is noted, and is no failure. */
export async function resetControlPlane(owner: string, members: readonly Member[], holder: string, reporter: Reporter): Promise<void> {
  await Promise.all(members.map((member) => resetUnlessGone(owner, member.target, holder, reporter)));
}
