import { caCertHashOf } from "../kubeadm/kubeconfig.ts";
import { runDirectly } from "../machine/inspect.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import { applyFlannel, type FlannelInputs } from "./flannel.ts";
import { initialiseAs } from "./member-in.ts";
import { labelNode, withRoleTaint } from "./node.ts";
import type { ControlPlaneInputs } from "./reconcile.ts";
import { inspectReset, resetDeadlineSeconds } from "./reset.ts";
import { joinWorker, type WorkerInputs } from "./worker.ts";

/** A cluster with one control plane, as its resources have made it. */
export interface MadeCluster {
  readonly controlPlane: ControlPlaneInputs;
  /** Hash of its CA, as the state remembers it. */
  readonly caCertHash: string;
  readonly flannel: FlannelInputs;
  readonly workers: readonly WorkerInputs[];
}

/** How the work is told and ended. */
export interface Renewal {
  /** Who works on the machines, as others are told who wait for them. */
  readonly holder: string;
  readonly reporterOf: (machine: string) => Reporter;
  /** Whether somebody wants an end: then no further part is begun. */
  readonly isStopped: () => boolean;
}

/**
 * The certificate of the cluster's CA, PEM, when its keys are on the control plane, or are kept there by a reset that did not end.
 *
 * @returns undefined when they are not, or are those of another cluster: then it cannot be made anew as the same
 * @throws MachineError when the machine cannot be looked at
 */
export async function keptCa({ controlPlane, caCertHash }: MadeCluster, reporter: Reporter): Promise<string | undefined> {
  const { caCert } = await inspectReset(controlPlane.cluster.owner, controlPlane.members[0]!.target, reporter);
  return caCert !== "" && caCertHashOf(caCert) === caCertHash ? caCert : undefined;
}

/**
 * Takes the cluster from its machines and makes it again with the CA that it has: what the CA has signed stays valid, and what Pulumi
 * remembers stays true. All else in it is lost. Ended in the middle, it goes on when it is called again, or with the next `pulumi up`.
 *
 * @param caCert of `keptCa`
 * @throws MachineError with the cause, the evidence and the next step
 */
export async function renewCluster({ controlPlane, flannel, workers }: MadeCluster, caCert: string, renewal: Renewal): Promise<void> {
  const { holder, reporterOf } = renewal;
  const { cluster, schedulable } = controlPlane;
  const member = controlPlane.members[0]!;
  const reporter = reporterOf(member.name);
  const clear = ({ name, target }: { name: string; target: SshTarget }, kept: string) =>
    runJob({ ...script(cluster.owner, kept), target, verb: "remove", deadlineSeconds: resetDeadlineSeconds, reporter: reporterOf(name), holder });

  // A worker that was not marked would be taken for one that has joined: it has the same CA.
  await Promise.all(workers.map(({ machine, target }) => runDirectly({ ...script(cluster.owner, ""), target, verb: "apply", timeoutSeconds: 60, reporter: reporterOf(machine.name) })));
  const begin = async () => {
    await clear(member, caCert);
    mustGoOn(renewal);
    await initialiseAs(member, "none", { inputs: controlPlane, holder, reporter });
    mustGoOn(renewal);
  };
  const begun = begin();
  const finish = async () => {
    await begun;
    const labelled = withRoleTaint(member, schedulable);
    await allOf([labelNode([member], labelled, labelled, reporter), applyFlannel(flannel, holder, reporter)]);
  };
  const rejoin = async (worker: WorkerInputs) => {
    await clear({ ...worker.machine, target: worker.target }, "");
    await begun;
    await joinWorker(worker, undefined, holder, reporterOf(worker.machine.name));
  };
  await allOf([finish(), ...workers.map(rejoin)]);
}

/** What all calls of scripts/reset.sh for a node that comes back share. */
const script = (owner: string, caCert: string) => ({
  stage: "reset",
  script: renderScript("reset.sh"),
  environment: { OWNER: owner, RENEW: "yes", CA_CERT: caCert.trim() },
});

/** Waits for all, so that nothing goes on behind a failure; then fails with the first that failed. */
async function allOf(works: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(works);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
}

function mustGoOn({ isStopped }: Renewal): void {
  if (isStopped()) throw new Error("cancelled between two parts of the reset");
}
