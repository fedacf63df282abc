import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { certificateRequest } from "../../../kubeadm/client-certificate.ts";

describe("a request for a client certificate", () => {
  it("is for the apiserver's clients, and says when it is to end", () => {
    expect(parse(certificateRequest({ name: "classroom-s07-admin", csr: "PEM\n", expirationSeconds: 1_209_600 }))).toEqual({
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name: "classroom-s07-admin" },
      spec: {
        signerName: "kubernetes.io/kube-apiserver-client",
        usages: ["client auth"],
        expirationSeconds: 1_209_600,
        request: "UEVNCg==",
      },
    });
  });
});
