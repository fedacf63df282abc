import { randomBytes } from "node:crypto";
import { stringify } from "yaml";
import { ScriptedEtcd } from "./scripted-etcd.ts";

// Made with openssl, their keys thrown away: what is asked of them is to be certificates.
const caCerts = [`-----BEGIN CERTIFICATE-----
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
`, `-----BEGIN CERTIFICATE-----
MIIBgjCCASegAwIBAgIUGOqam+gJhA7XvEsrcNQGtwMFpTEwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjExNzQ2MTRaGA8yMTI2MTAy
ODE3NDYxNFowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABBzFE7cKB8/Y3JnXFGyK2YfqwxlJDeZeZ9SGaNNGM5pV22b64rKl
40mWpaQGOp2YxEpP2smS3YvHRVMAI/Q6OSKjUzBRMB0GA1UdDgQWBBRPFK++OtqV
O37jqwKe2CN9OMKGGzAfBgNVHSMEGDAWgBRPFK++OtqVO37jqwKe2CN9OMKGGzAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQC+tPzs/Uffjgc9wteJ
h/fjPOzqJlFc3uFSxo63RwrS5AIhAOfAbLNukW3giIC7zm6QiyNNy8ktfn0ZdNZX
lnthZBss
-----END CERTIFICATE-----
`];

let made = 0;

/** What kubeadm init makes, as far as the product asks for it. */
export class ScriptedCluster {
  readonly etcd = new ScriptedEtcd();
  readonly caCert: string;
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

  /** @param caCert of keys that are there already; without them another one than the cluster before has */
  constructor(caCert = caCerts[made++ % caCerts.length]!) {
    this.caCert = caCert;
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
