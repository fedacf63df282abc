import { parse, stringify } from "yaml";
import { describe, expect, it } from "vitest";
import { adminKubeconfig, caCertHashOf, clientKubeconfig, clientOf } from "../../../kubeadm/kubeconfig.ts";

// Made for this test with openssl, its key thrown away; the hash is what the command line of kubeadm's page prints for it.
const ca = `-----BEGIN CERTIFICATE-----
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
const hash = "sha256:bcd4a217da160e22f526db6d3b18cfe36f1bb46db7f9ced8153ae2520095c6e7";
const caData = Buffer.from(ca).toString("base64");

/** As kubeadm writes /etc/kubernetes/admin.conf. */
const adminConf = stringify({
  apiVersion: "v1",
  clusters: [
    {
      cluster: { "certificate-authority-data": caData, server: "https://kubernetes-api.internal:6443" },
      name: "kubernetes",
    },
  ],
  contexts: [
    { context: { cluster: "kubernetes", user: "kubernetes-admin" }, name: "kubernetes-admin@kubernetes" },
  ],
  "current-context": "kubernetes-admin@kubernetes",
  kind: "Config",
  users: [
    { name: "kubernetes-admin", user: { "client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ" } },
  ],
});
const where = { address: "192.0.2.7", port: 6443, serverName: "kubernetes-api.internal", clusterName: "lab" };

describe("the hash of a CA", () => {
  it("is the one that kubeadm pins", () => expect(caCertHashOf(ca)).toBe(hash));
  it("is the first one's of several", () => expect(caCertHashOf(ca + ca)).toBe(hash));
  it("is refused of what is no certificate", () => expect(() => caCertHashOf("no certificate")).toThrow());
});

describe("the admin kubeconfig", () => {
  const { kubeconfig, caCertHash } = adminKubeconfig(adminConf, where);
  const parsed = parse(kubeconfig);

  it("dials an address, and checks the certificate against the endpoint's name", () => {
    expect(parsed.clusters[0].cluster).toEqual({
      server: "https://192.0.2.7:6443",
      "tls-server-name": "kubernetes-api.internal",
      "certificate-authority-data": caData,
    });
  });

  it("is named after the cluster, so that several can be merged", () => {
    expect(parsed["current-context"]).toBe("lab");
    expect(parsed.contexts).toEqual([{ name: "lab", context: { cluster: "lab", user: "lab-admin" } }]);
    expect(parsed.users).toEqual([
      { name: "lab-admin", user: { "client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ" } },
    ]);
  });

  it("writes long values on one line", () =>
    expect(kubeconfig).toContain(`certificate-authority-data: ${caData}\n`));

  it("brackets an IPv6 address", () => {
    expect(adminKubeconfig(adminConf, { ...where, address: "fd00::7" }).kubeconfig).toContain(
      "server: https://[fd00::7]:6443\n",
    );
  });

  it("comes with the hash of the cluster's CA", () => expect(caCertHash).toBe(hash));

  it("is not made of anything else", () => expect(() => adminKubeconfig("kind: Config", where)).toThrow());
});

describe("the kubeconfig of somebody with a client certificate", () => {
  const client = { certificate: "CERT\n", key: "KEY\n" };
  const text = clientKubeconfig(where, ca, "s07-admin", client);

  it("finds the API as the admin's does", () => {
    expect(parse(text).clusters).toEqual(parse(adminKubeconfig(adminConf, where).kubeconfig).clusters);
    expect(parse(text).contexts).toEqual([{ name: "lab", context: { cluster: "lab", user: "s07-admin" } }]);
  });

  it("gives back what it was made with", () => expect(clientOf(text)).toEqual({ ca, ...client }));

  it("is told from any other text", () => {
    expect(clientOf("")).toBeUndefined();
    expect(clientOf("kind: Config")).toBeUndefined();
  });
});
