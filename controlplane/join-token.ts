import { randomBytes } from "node:crypto";
import { caCertHashOf } from "../kubeadm/kubeconfig.ts";
import { uploadDocuments } from "../kubeadm/documents.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";
import { onControlPlane } from "./on-control-plane.ts";
import type { SharedSettings } from "./reconcile.ts";

/** What a join is made with. */
export interface JoinToken {
  readonly token: string;
  /** PEM. */
  readonly caCert: string;
  readonly caCertHash: string;
}

/** What the join of a control plane is made with. */
export interface CertificateUpload {
  readonly documents: string;
  /** With which the cluster's certificates are encrypted in the cluster until the join has taken them. */
  readonly certificateKey: string;
}

/** A key for one join, as kubeadm makes its own: 32 bytes. */
export function newUpload(cluster: SharedSettings, through: Member): CertificateUpload {
  const certificateKey = randomBytes(32).toString("hex");
  return { documents: uploadDocuments(cluster, through, certificateKey), certificateKey };
}

/**
 * Has a token that lives minutes for one join, uploads the cluster's certificates when a control plane is to join, does the work with
 * them, and takes both away, however the work ended.
 *
 * @param upload for a control plane, with `controlPlanes` then being the one that uploads; undefined for a worker
 */
export async function withJoinToken<T>(
  controlPlanes: readonly Member[],
  joiner: string,
  upload: CertificateUpload | undefined,
  reporter: Reporter,
  work: (token: JoinToken) => Promise<T>,
): Promise<T> {
  const { token, caCert } = (await onControlPlane(controlPlanes, "join-token.sh", "apply", reporter, {
    JOINER: joiner,
    UPLOAD_CONFIG: upload?.documents ?? "",
    CERTIFICATE_KEY: upload?.certificateKey ?? "",
  })) as { token: string; caCert: string };
  try {
    return await work({ token, caCert, caCertHash: caCertHashOf(caCert) });
  } finally {
    // Another run may have uploaded certificates for its own join by then; what is left of this one dies by itself.
    if (reporter.heard?.() !== false) await takeAway(controlPlanes, token, reporter);
  }
}

/** It dies by itself in minutes, so its removal neither fails a good join nor hides why a join failed. */
async function takeAway(controlPlanes: readonly Member[], token: string, reporter: Reporter): Promise<void> {
  // The first part of a bootstrap token is its public id: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
  await onControlPlane(controlPlanes, "join-token.sh", "remove", reporter, { TOKEN_ID: token.split(".")[0]! }).catch((error: Error) =>
    reporter.warn(`the join token was not deleted and dies by itself in minutes: ${error.message}`),
  );
}
