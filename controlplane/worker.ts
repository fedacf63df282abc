import { joinDocuments } from "../kubeadm/documents.ts";
import { caCertHashOf } from "../kubeadm/kubeconfig.ts";
import type { MachineSettings } from "../kubeadm/settings.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import type { Member } from "./member.ts";
import { deleteNode, inspectNode, labelNode } from "./node.ts";
import { onControlPlane } from "./on-control-plane.ts";
import type { SharedSettings } from "./reconcile.ts";
import { resetMachine } from "./reset.ts";

/** What the cluster knows of a worker. */
export type WorkerNode = Pick<MachineSettings, "name" | "clusterAddress" | "labels" | "taints">;

/** What a worker is given. */
export interface WorkerInputs {
  readonly target: SshTarget;
  /** Its part of the settings, without how to reach it: that is the target's, and no reason to join again. */
  readonly machine: WorkerNode;
  readonly cluster: SharedSettings;
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
  const credentials = await onControlPlane(controlPlanes, "join-token.sh", "apply", reporter, { JOINER: machine.name });
  const { token, caCert } = credentials as { token: string; caCert: string };
  try {
    await runJob({
      target,
      stage: "worker",
      verb: "apply",
      script: renderScript("worker.sh"),
      environment: {
        NODE_NAME: machine.name,
        JOIN_CONFIG: joinDocuments(cluster, machine, { token, caCertHash: caCertHashOf(caCert) }),
        JOIN_TOKEN: token,
        CA_CERT: caCert.trim(),
      },
      deadlineSeconds: joinDeadlineSeconds,
      reporter,
      holder,
    });
  } finally {
    // The first part of a bootstrap token is its public id: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
    // It dies by itself in minutes, so its removal neither fails a good join nor hides why a join failed.
    await onControlPlane(controlPlanes, "join-token.sh", "remove", reporter, { TOKEN_ID: token.split(".")[0]! }).catch((error: Error) =>
      reporter.warn(`the join token was not deleted and dies by itself in minutes: ${error.message}`),
    );
  }
  await labelNode(controlPlanes, machine, before?.machine, reporter);
}

/** What the cluster says of this worker that is not in order, a sentence each. */
export async function inspectWorker({ machine, controlPlanes }: WorkerInputs, reporter: Reporter): Promise<string[]> {
  return inspectNode(controlPlanes, machine.name, reporter);
}

/** Drains the worker, deletes its node and resets its machine. A machine that is gone is noted, and is no failure. */
export async function removeWorker({ target, machine, controlPlanes }: WorkerInputs, holder: string, reporter: Reporter): Promise<void> {
  await deleteNode(controlPlanes, machine.name, reporter);
  await resetMachine(target, holder, reporter);
}
