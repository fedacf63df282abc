import { createHmac } from "node:crypto";

/** One host key that a known_hosts file has for a host. */
export interface KnownKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` … */
  readonly type: string;
  /** The public key, base64. */
  readonly key: string;
  /** The line says that this key must never be accepted. */
  readonly revoked: boolean;
}

/**
 * The keys that a known_hosts file has for a host, hashed names and patterns included.
 * Certificate authorities are left out: host certificates are not supported.
 * Format: https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT
 */
export function knownKeys(text: string, host: string, port: number): KnownKey[] {
  const name = nameOf(host, port);
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith("@") ? fields.shift() : undefined;
    const [names, type, key] = fields;
    if (!names || names.startsWith("#") || !type || !key || marker === "@cert-authority") return [];
    return matches(names, name) ? [{ type, key, revoked: marker === "@revoked" }] : [];
  });
}

/** How known_hosts names a host: `host`, or `[host]:port` when the port is not 22. */
export function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function matches(names: string, name: string): boolean {
  if (names.startsWith("|1|")) {
    const [, , salt, hash] = names.split("|");
    return createHmac("sha1", Buffer.from(salt ?? "", "base64")).update(name).digest("base64") === hash;
  }
  const patterns = names.toLowerCase().split(",");
  const hit = (pattern: string) => globOf(pattern).test(name);
  return patterns.some((pattern) => !pattern.startsWith("!") && hit(pattern)) &&
    !patterns.some((pattern) => pattern.startsWith("!") && hit(pattern.slice(1)));
}

/** known_hosts knows `*` and `?` alone; brackets are literal. */
function globOf(pattern: string): RegExp {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
