import { X509Certificate } from "node:crypto";
import { z } from "zod";

/** A certificate of a node. */
export interface Certificate {
  /** As `kubeadm certs check-expiration` names it: apiserver, etcd-peer, admin.conf; `kubelet` is the one that kubelet renews itself. */
  readonly name: string;
  readonly expires: Date;
}

/** A certificate as `certificates` of scripts/lib/certificates.sh prints it. */
export const certificateSchema = z.object({ name: z.string(), text: z.string() });

/** What does not parse is no certificate that anybody could use, and is left out. */
export function readCertificate({ name, text }: z.output<typeof certificateSchema>): Certificate[] {
  try {
    // A kubeconfig has the PEM text in base64.
    const pem = text.startsWith("-----BEGIN") ? text : Buffer.from(text, "base64").toString();
    return [{ name, expires: new Date(new X509Certificate(pem).validTo) }];
  } catch {
    return [];
  }
}
