import { createHash, X509Certificate } from "node:crypto";
import { parse, stringify } from "yaml";
import { z } from "zod";

/** The parts of a kubeconfig that are read here; the rest of the file is not carried over. */
const adminConf = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ "certificate-authority-data": z.string() }) })]),
  users: z.tuple([
    z.object({ user: z.object({ "client-certificate-data": z.string(), "client-key-data": z.string() }) }),
  ]),
});

/** Where kubectl finds the API. */
export interface ApiAddress {
  /** Address or name that is dialled; need not be in the certificate. */
  readonly address: string;
  readonly port: number;
  /** Name that the server's certificate must carry: the endpoint's. */
  readonly serverName: string;
  /** Name of the cluster in the file. */
  readonly clusterName: string;
}

/**
 * Hash of a CA's public key as kubeadm pins it in `discovery.bootstrapToken.caCertHashes`:
 * https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/#token-based-discovery-with-ca-pinning
 *
 * @param pem the CA's certificate; of several in one text, the first
 * @returns `sha256:` and 64 hexadecimal digits
 */
export function caCertHashOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/**
 * The admin kubeconfig for the operator: kubeadm's admin.conf with an address that can be dialled from outside, and the endpoint's
 * name to check the certificate against, so that no DNS server needs that name.
 *
 * @param text /etc/kubernetes/admin.conf
 * @returns the kubeconfig, a secret, and the hash of the cluster's CA
 * @throws when the text is no admin.conf as kubeadm writes it
 */
export function adminKubeconfig(text: string, api: ApiAddress): { kubeconfig: string; caCertHash: string } {
  const { clusters, users } = adminConf.parse(parse(text));
  const ca = clusters[0].cluster["certificate-authority-data"];
  return { kubeconfig: kubeconfigText(api, ca, `${api.clusterName}-admin`, users[0].user), caCertHash: caCertHashOf(Buffer.from(ca, "base64").toString()) };
}

/** A client certificate with its key. */
export interface ClientCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, a secret. */
  readonly key: string;
}

/**
 * A kubeconfig for somebody who has a client certificate.
 *
 * @param ca of the cluster, PEM
 * @param user how the file calls its user
 * @returns the kubeconfig, a secret
 */
export function clientKubeconfig(api: ApiAddress, ca: string, user: string, { certificate, key }: ClientCertificate): string {
  return kubeconfigText(api, base64(ca), user, { "client-certificate-data": base64(certificate), "client-key-data": base64(key) });
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/**
 * What a kubeconfig of `clientKubeconfig` was made with.
 *
 * @returns undefined when the text is none
 */
export function clientOf(text: string): (ClientCertificate & { readonly ca: string }) | undefined {
  const { data } = adminConf.safeParse(parse(text));
  if (!data) return undefined;
  const plain = (encoded: string) => Buffer.from(encoded, "base64").toString();
  const { "client-certificate-data": certificate, "client-key-data": key } = data.users[0].user;
  return { ca: plain(data.clusters[0].cluster["certificate-authority-data"]), certificate: plain(certificate), key: plain(key) };
}

function kubeconfigText({ address, port, serverName, clusterName }: ApiAddress, ca: string, userName: string, user: object): string {
  const host = address.includes(":") ? `[${address}]` : address;
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": clusterName,
    clusters: [{ name: clusterName, cluster: { server: `https://${host}:${port}`, "tls-server-name": serverName, "certificate-authority-data": ca } }],
    contexts: [{ name: clusterName, context: { cluster: clusterName, user: userName } }],
    users: [{ name: userName, user }],
  };
  // A folded line would still be YAML, but not what people compare and copy.
  return stringify(kubeconfig, { lineWidth: 0 });
}
