import { randomBytes } from "node:crypto";
import { stringify } from "yaml";
import { ScriptedEtcd } from "./scripted-etcd.ts";

// Made with openssl, its key thrown away: what is asked of it is to be a certificate.
const caCert = `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUKIwdzvPf7FSl7GUuWzGrWIRVN9IwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjEwODQ0NTJaGA8yMTI2MTAy
ODA4NDQ1MlowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABM+chPp0AVszCt1pYjt/oHhCsnB9VZ0eWOgAg2FgZ5ieWsH0Y9Hh
N/V/KE017sBlYXBn3fIkW2LDLyQ01AwnIBejUzBRMB0GA1UdDgQWBBRSa2uFSrAL
eoqyPxaGWJI5/GJaqzAfBgNVHSMEGDAWgBRSa2uFSrALeoqyPxaGWJI5/GJaqzAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIGYy82+QwqJL05iMvGNM
V9vxplXOot2Dn/iW15zpxBjsAiA4q+ggf4w7GTfrtdxCYfzWhyVcE+nluBzoiFeX
O52fLA==
-----END CERTIFICATE-----
`;

/** What kubeadm init makes, as far as the product asks for it. */
export class ScriptedCluster {
  readonly etcd = new ScriptedEtcd();
  readonly caCert = caCert;
  /** Key of the administrator, base64, as it stands in a kubeconfig. */
  readonly adminKey = randomBytes(24).toString("base64");
  readonly nodes = new Set<string>();
  readonly tokens = new Set<string>();
  /** Tokens that there were at any time. */
  readonly everyToken: string[] = [];
  /** Key with which the certificates in the Secret kubeadm-certs are encrypted; undefined: there is no such Secret. */
  certificateKey: string | undefined;
  /** Keys that there were at any time. */
  readonly everyCertificateKey: string[] = [];

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
      clusters: [{ name: "kubernetes", cluster: { "certificate-authority-data": Buffer.from(caCert).toString("base64"), server: "https://kubernetes-api.internal:6443" } }],
      contexts: [{ name: "admin", context: { cluster: "kubernetes", user: "admin" } }],
      "current-context": "admin",
      users: [{ name: "admin", user: { "client-certificate-data": "Q0VSVA==", "client-key-data": this.adminKey } }],
    });
  }
}
