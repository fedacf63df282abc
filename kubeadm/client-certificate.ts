import type * as inputs from "@pulumi/kubernetes/types/input.js";
import { stringify } from "yaml";

/** What a cluster is asked to sign for somebody. */
export interface CertificateRequest {
  /** Name of the object, a DNS name. */
  readonly name: string;
  /** PKCS#10 request, PEM: its common name is the user, its organisations are the user's groups. */
  readonly csr: string;
  /** At least 600; the cluster gives less when its controller manager is set so (--cluster-signing-duration, a year by default). */
  readonly expirationSeconds: number;
}

/**
 * The API object of a request for a client certificate, as YAML:
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
 */
export function certificateRequest({ name, csr, expirationSeconds }: CertificateRequest): string {
  const object: inputs.certificates.v1.CertificateSigningRequest = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      signerName: "kubernetes.io/kube-apiserver-client",
      usages: ["client auth"],
      expirationSeconds,
      request: Buffer.from(csr).toString("base64"),
    },
  };
  return stringify(object, { lineWidth: 0 });
}
