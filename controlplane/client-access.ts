import { z } from "zod";
import { certificateRequest, type CertificateRequest } from "../kubeadm/client-certificate.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";
import { onControlPlane } from "./on-control-plane.ts";

const answerSchema = z.object({ caCert: z.string(), certificate: z.string() });

/** What a cluster gives to whoever is let in. */
export interface ClientAccess {
  /** The cluster's CA, PEM. */
  readonly caCert: string;
  /** The signed certificate, PEM; empty when none was asked for. */
  readonly certificate: string;
}

/**
 * Puts roles and bindings into the cluster, and has it sign a client certificate. May be repeated at will.
 *
 * @param controlPlanes in the order in which they are asked
 * @param objects YAML; what somebody has changed in them is put back
 * @param request undefined: no certificate is wanted
 * @throws MachineError with what kubectl said; UnreachableError when no control plane answers
 */
export async function giveAccess(controlPlanes: readonly Member[], objects: string, request: CertificateRequest | undefined, reporter: Reporter): Promise<ClientAccess> {
  const { caCert, certificate } = answerSchema.parse(
    await onControlPlane(controlPlanes, "client-access.sh", "apply", reporter, {
      OBJECTS: objects,
      REQUEST: request ? certificateRequest(request) : "",
      REQUEST_NAME: request?.name ?? "",
    }),
  );
  return { caCert, certificate: Buffer.from(certificate, "base64").toString() };
}
