import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { ServerHostKeyAlgorithm } from "ssh2";
import type { Endpoint } from "./endpoint.ts";
import { HostKeyError } from "./errors.ts";
import { expandHome } from "./home.ts";
import { knownKeys, nameOf } from "./known-hosts.ts";

/** Kinds of host keys, best first. SHA-1 signatures of RSA keys are not taken. */
const families: readonly (readonly ServerHostKeyAlgorithm[])[] = [
  ["ssh-ed25519"],
  ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  ["rsa-sha2-512", "rsa-sha2-256"],
];

/** How a host key is asked for and judged. */
export interface HostKeyCheck {
  /** Algorithms to offer, in the order of preference; a further list is tried when the key that the one before brought is refused. */
  readonly offers: readonly ServerHostKeyAlgorithm[][];
  /** Nothing is known of this host yet, and its key is taken as it is. */
  readonly firstUse: boolean;
  /** What is wrong with the key; undefined when it is the right one. */
  refusal(key: Buffer): HostKeyError | undefined;
}

/** A host key in the form of authorized_keys and of the setting `hostKey`: `ssh-ed25519 AAAA…`. */
export function hostKeyText(key: Buffer): string {
  return `${typeOf(key)} ${key.toString("base64")}`;
}

/** Fingerprint as `ssh-keygen -l` prints it: `SHA256:…`. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** Type and fingerprint of a key given as text. */
export function describeHostKey(text: string): string {
  const [type, key] = text.split(/\s+/);
  return key ? `${type} ${fingerprintOf(Buffer.from(key, "base64"))}` : text;
}

/** True when a key is the one that `hostKey`, a key or a fingerprint, names. */
export function isHostKey(hostKey: string, key: Buffer): boolean {
  const [type, base64] = hostKey.trim().split(/\s+/);
  return base64 ? Buffer.from(base64, "base64").equals(key) : type!.replace(/=+$/, "") === fingerprintOf(key);
}

/** The check for one endpoint: its `hostKey` if one is given, else the known_hosts file, else trust on first use. */
export function hostKeyCheck(endpoint: Endpoint): HostKeyCheck {
  const { hostKey } = endpoint;
  if (hostKey) {
    const isFingerprint = hostKey.trim().startsWith("SHA256:");
    return {
      // A fingerprint does not tell its type, so each kind of key is asked for in its turn.
      offers: isFingerprint ? [preferring([]), ...families.slice(1).map((family) => [...family])] : [preferring([hostKey.split(" ")[0]!])],
      firstUse: false,
      refusal: (key) => (isHostKey(hostKey, key) ? undefined : changed(endpoint, [describeHostKey(hostKey)], key)),
    };
  }
  if (endpoint.hostKeys === "pin") return { offers: [preferring([])], firstUse: true, refusal: () => undefined };
  return knownHostsCheck(endpoint);
}

function knownHostsCheck(endpoint: Endpoint): HostKeyCheck {
  const path = expandHome(endpoint.knownHostsPath);
  const keys = existsSync(path) ? knownKeys(readFileSync(path, "utf8"), endpoint.host, endpoint.port) : [];
  const trusted = keys.filter(({ revoked }) => !revoked);
  return {
    offers: [preferring(trusted.map(({ type }) => type))],
    firstUse: false,
    refusal(key) {
      const same = keys.filter((known) => Buffer.from(known.key, "base64").equals(key));
      if (same.some(({ revoked }) => revoked)) return revokedKey(endpoint, key);
      if (same.length > 0) return undefined;
      return trusted.length > 0
        ? changed(endpoint, trusted.map((known) => describeHostKey(`${known.type} ${known.key}`)), key)
        : unknown(endpoint, key);
    },
  };
}

/** All algorithms, those for the given key types first. */
function preferring(types: string[]): ServerHostKeyAlgorithm[] {
  const isPreferred = (algorithm: string) => types.includes(algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm);
  const all = families.flat();
  return [...all.filter(isPreferred), ...all.filter((algorithm) => !isPreferred(algorithm))];
}

/** The type stands at the front of a public key, behind its length: https://www.rfc-editor.org/rfc/rfc4253#section-6.6 */
function typeOf(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");
}

const described = (key: Buffer) => describeHostKey(hostKeyText(key));

/** How somebody at the machine's console sees the same fingerprint. */
function consoleCommand(key: Buffer): string {
  const file = typeOf(key).replace(/^ssh-/, "").replace(/-.*$/, "");
  return `\`ssh-keygen -lf /etc/ssh/ssh_host_${file}_key.pub\``;
}

function changed(endpoint: Endpoint, expected: string[], key: Buffer): HostKeyError {
  return new HostKeyError({
    machine: endpoint.machine,
    stage: "connect",
    cause: [
      `${endpoint.label} shows another host key than the one that is known.`,
      ...expected.map((text) => `  known: ${text}`),
      `  shown: ${described(key)}`,
    ].join("\n"),
    next:
      `if it was installed anew, compare the shown fingerprint with what ${consoleCommand(key)} prints on its console, and set ` +
      `${endpoint.hostKeySetting} to "${hostKeyText(key)}"; if it was not, another machine answers in its place: find out which`,
  });
}

function unknown(endpoint: Endpoint, key: Buffer): HostKeyError {
  return new HostKeyError({
    machine: endpoint.machine,
    stage: "connect",
    cause: `${endpoint.label} shows a host key that ${endpoint.knownHostsPath} does not have: ${described(key)}`,
    next:
      `compare the fingerprint with what ${consoleCommand(key)} prints on its console, and accept it in one of two ways: set ` +
      `${endpoint.hostKeySetting} to "${hostKeyText(key)}", or add this line to ${endpoint.knownHostsPath}: ` +
      `${nameOf(endpoint.host, endpoint.port)} ${hostKeyText(key)}`,
  });
}

function revokedKey(endpoint: Endpoint, key: Buffer): HostKeyError {
  return new HostKeyError({
    machine: endpoint.machine,
    stage: "connect",
    cause: `${endpoint.label} shows a host key that ${endpoint.knownHostsPath} marks as revoked: ${described(key)}`,
    next: "give the machine a new host key, or find out which machine answers in its place",
  });
}
