// What @peculiar/x509 wants to find when it is loaded.
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { Name, PemConverter, Pkcs10CertificateRequestGenerator } from "@peculiar/x509";

/** A new private key and the request for its certificate. */
export interface ClientKey {
  /** PKCS#8, PEM; a secret. */
  readonly key: string;
  /** PKCS#10, PEM. */
  readonly csr: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * Makes a key, which is to stay where this runs.
 *
 * @param user the certificate's common name, which Kubernetes takes for the user's name
 * @param group its organisation, which Kubernetes takes for a group
 */
export async function newClientKey(user: string, group: string): Promise<ClientKey> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const name = new Name([{ O: [group] }, { CN: [user] }]).toString();
  const csr = await Pkcs10CertificateRequestGenerator.create({ name, keys: keys as CryptoKeyPair, signingAlgorithm: algorithm });
  return { key: PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"), csr: csr.toString("pem") };
}

/** When a certificate ends. @param pem the certificate */
export const endOf = (pem: string): Date => new X509Certificate(pem).validToDate;
