import { X509Certificate } from "node:crypto";
import { z } from "zod";

/** What `describe_made_by_hand` of scripts/lib/by-hand.sh prints of a cluster that somebody made on a machine with kubeadm, by hand. */
export const byHandSchema = z.object({
  role: z.enum(["control-plane", "worker"]),
  /** Version of Kubernetes, as `1.37.1`; empty when it cannot be told. */
  version: z.string(),
  /** Certificate of the kubelet, PEM; empty when there is none. */
  certificate: z.string(),
  /** When its oldest file was made, in seconds since 1970. */
  since: z.number(),
  /** Null on a worker, and when no apiserver answers. */
  namespaces: z.number().nullable(),
  pods: z.number().nullable(),
});

/** A cluster, or a node of one, that somebody made by hand. */
export type ByHand = z.output<typeof byHandSchema>;

const roles = { "control-plane": "control plane", worker: "worker" } as const;

/** What there is, in a few words: `a control plane of Kubernetes 1.37.1, node s07, made 2026-11-21 10:12, 6 namespaces, 14 pods`. */
export function byHandText({ role, version, certificate, since, namespaces, pods }: ByHand): string {
  const node = nodeOf(certificate);
  return [
    `a ${roles[role]}${version === "" ? "" : ` of Kubernetes ${version}`}`,
    ...(node === undefined ? [] : [`node ${node}`]),
    `made ${minute(since)}`,
    ...(namespaces === null ? (role === "worker" ? [] : ["its apiserver does not answer"]) : [`${namespaces} namespaces`]),
    ...(pods === null ? [] : [`${pods} pods`]),
  ].join(", ");
}

/** A kubelet's certificate is for the user system:node:NAME: https://kubernetes.io/docs/reference/access-authn-authz/node/ */
function nodeOf(certificate: string): string | undefined {
  try {
    return /^CN=system:node:(\S+)$/m.exec(new X509Certificate(certificate).subject)?.[1];
  } catch {
    return undefined;
  }
}

/** In the time zone of this computer. */
function minute(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
