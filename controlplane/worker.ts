import { joinDocuments, type ClusterArguments } from "../kubeadm/documents.ts";
import type { MachineSettings } from "../kubeadm/settings.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import type { Member } from "./member.ts";
import { deleteNode, drainNode, inspectNode, labelNode } from "./node.ts";
import { withJoinToken } from "./join-token.ts";
import { resetUnlessGone } from "./reset.ts";

/** What the cluster knows of a worker. */
export type WorkerNode = Pick<MachineSettings, "name" | "clusterAddress" | "labels" | "taints">;

/** What a worker is given. */
export interface WorkerInputs {
  readonly target: SshTarget;
  /** Its part of the settings, without how to reach it: that is the target's, and no reason to join again. */
  readonly machine: WorkerNode;
  readonly cluster: ClusterArguments & { readonly owner: string };
  /** Whom to ask for a token, and who knows the node. */
  readonly controlPlanes: Member[];
}

/** A join waits for flannel's images on a slow line too. */
const joinDeadlineSeconds = 1200;

/**
 * Joins a machine with a token that lives minutes and the CA pinned by its hash, and waits until the node is Ready.
 * A machine that has joined already is taken up as it is.
 *
 * @param before the worker's settings at the last time; undefined at the first
 */
export async function joinWorker(inputs: WorkerInputs, before: WorkerInputs | undefined, holder: string, reporter: Reporter): Promise<void> {
  const { target, machine, cluster, controlPlanes } = inputs;
  reporter.progress("asking the control plane for a token");
  await withJoinToken(controlPlanes, machine.name, undefined, reporter, ({ token, caCert, caCertHash }) =>
    runJob({
      target,
      stage: "worker",
      verb: "apply",
      script: renderScript("worker.sh"),
      environment: {
        NODE_NAME: machine.name,
        JOIN_CONFIG: joinDocuments(cluster, machine, { token, caCertHash }, "worker"),
        JOIN_TOKEN: token,
        CA_CERT: caCert.trim(),
      },
      deadlineSeconds: joinDeadlineSeconds,
      reporter,
      holder,
    }),
  );
  await labelNode(controlPlanes, machine, before?.machine, reporter);
}

/** What the cluster says of this worker that is not in order, a sentence each. */
export async function inspectWorker({ machine, controlPlanes }: WorkerInputs, reporter: Reporter): Promise<string[]> {
  return inspectNode(controlPlanes, machine.name, reporter);
}

/** Drains the worker, deletes its node and resets its machine. A machine that is gone is noted, and is no failure. */
export async function removeWorker({ target, machine, cluster, controlPlanes }: WorkerInputs, holder: string, reporter: Reporter): Promise<void> {
  await drainNode(controlPlanes, machine.name, reporter);
  await deleteNode(controlPlanes, machine.name, reporter);
  await resetUnlessGone(cluster.owner, target, holder, reporter);
}
