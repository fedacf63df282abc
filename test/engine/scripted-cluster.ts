import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { Pkcs10CertificateRequest, X509CertificateGenerator, type X509Certificate } from "@peculiar/x509";
import { stringify } from "yaml";
import { ScriptedEtcd } from "./scripted-etcd.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A CA, as kubeadm init makes one. */
export interface Authority {
  readonly certificate: X509Certificate;
  readonly keys: CryptoKeyPair;
}

/** PEM. */
export const caCertOf = ({ certificate }: Authority): string => `${certificate.toString("pem")}\n`;

/** The Lease of those who change the members of the control plane. */
export class ScriptedLease {
  holder = "";
  #version = 0;
  #since = "";

  /** Takes or renews it when that is possible. @returns who has it then */
  ask(holder: string, over: string): object {
    if (["", holder].includes(this.holder) || over === String(this.#version)) {
      if (this.holder !== holder) this.#since = new Date().toISOString();
      this.holder = holder;
      this.#version++;
    }
    return { holder: this.holder, since: this.#since, version: String(this.#version) };
  }

  release(holder: string): void {
    if (this.holder === holder) this.holder = "";
  }
}

/** What kubeadm init makes, as far as the product asks for it. */
export class ScriptedCluster {
  readonly etcd = new ScriptedEtcd();
  readonly lease = new ScriptedLease();
  readonly authority: Authority;
  /** Key of the administrator, base64, as it stands in a kubeconfig. */
  readonly adminKey = randomBytes(24).toString("base64");
  readonly nodes = new Set<string>();
  /** Nodes whose kubelet does not answer. */
  readonly notReady = new Set<string>();
  /** Lines of `kubectl get pods` for pods that do not run. */
  readonly unwellPods: string[] = [];
  /** Names that kubeadm init was told to write into the certificate of every apiserver. */
  apiserverNames: readonly string[] = [];
  /** PEM text of the apiserver's certificate; undefined: it ends with the CA's. */
  apiserverCert: string | undefined;
  readonly tokens = new Set<string>();
  /** Tokens that there were at any time. */
  readonly everyToken: string[] = [];
  /** Key with which the certificates in the Secret kubeadm-certs are encrypted; undefined: there is no such Secret. */
  certificateKey: string | undefined;
  /** Keys that there were at any time. */
  readonly everyCertificateKey: string[] = [];

  /** Roles and bindings, as they were applied last. */
  accessObjects = "";

  private constructor(authority: Authority) {
    this.authority = authority;
  }

  /** @param authority that is there already; without one another one is made */
  static async create(authority?: Authority): Promise<ScriptedCluster> {
    if (authority) return new ScriptedCluster(authority);
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
    const notAfter = new Date(Date.now() + 10 * 365 * 86_400_000);
    return new ScriptedCluster({ keys, certificate: await X509CertificateGenerator.createSelfSigned({ name: "CN=kubernetes", keys, notAfter, signingAlgorithm: algorithm }) });
  }

  /** PEM. */
  get caCert(): string {
    return caCertOf(this.authority);
  }

  /** What the controller manager signs for an approved request. @param csr PEM */
  async sign(csr: string, seconds: number): Promise<string> {
    const request = new Pkcs10CertificateRequest(csr);
    const { certificate, keys } = this.authority;
    const signed = await X509CertificateGenerator.create({
      subject: request.subjectName,
      issuer: certificate.subjectName,
      publicKey: request.publicKey,
      signingKey: keys.privateKey,
      notAfter: new Date(Date.now() + seconds * 1000),
      signingAlgorithm: algorithm,
    });
    return `${signed.toString("pem")}\n`;
  }

  /** Lines of `kubectl get nodes`. */
  get nodeLines(): string {
    return [...this.nodes].map((name) => `${name}   ${this.notReady.has(name) ? "NotReady" : "Ready"}   <none>   5m   v1.37.1`).join("\n");
  }

  createToken(): string {
    const token = `${randomBytes(3).toString("hex")}.${randomBytes(8).toString("hex")}`;
    this.tokens.add(token);
    this.everyToken.push(token);
    return token;
  }

  deleteToken(id: string): void {
    for (const token of this.tokens) if (token.startsWith(`${id}.`)) this.tokens.delete(token);
  }

  /** `kubeadm init phase upload-certs`: what was uploaded before is written over. */
  uploadCertificates(key: string): void {
    this.certificateKey = key;
    this.everyCertificateKey.push(key);
  }

  /** Text of /etc/kubernetes/admin.conf. */
  get adminConf(): string {
    return stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "kubernetes", cluster: { "certificate-authority-data": Buffer.from(this.caCert).toString("base64"), server: "https://kubernetes-api.internal:6443" } }],
      contexts: [{ name: "admin", context: { cluster: "kubernetes", user: "admin" } }],
      "current-context": "admin",
      users: [{ name: "admin", user: { "client-certificate-data": "Q0VSVA==", "client-key-data": this.adminKey } }],
    });
  }
}
