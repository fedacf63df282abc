import ipaddr from "ipaddr.js";
import { z } from "zod";

/**
 * What Pulumi puts in the place of a value that becomes known only during the update, such as the address of a machine that is
 * made in the same program (the marker of unknown values in Pulumi's engine protocol). Host, cluster address and host key of a
 * machine may be it: their checks are skipped then and made again when the value is known.
 */
export const notKnownYet = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const labelRule =
  "lower-case letters, digits and hyphens, at most 63 characters, no hyphen at either end (RFC 1123 label)";

/** True for four decimal numbers as in 10.0.0.11: no leading zeros, no shortened forms. */
export const isIpv4 = (text: string): boolean => z.ipv4().safeParse(text).success;

/** True for a DNS name of RFC 1123 labels; an IP address is none. */
export const isDnsName = (text: string): boolean =>
  text.length <= 253 && !/^[\d.]+$/.test(text) && text.split(".").every((part) => label.test(part));

/** True for a network as in 10.244.0.0/16 whose host bits are zero; Kubernetes refuses others from 1.36 on. */
export function isNetwork(text: string): boolean {
  if (!z.cidrv4().safeParse(text).success) return false;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(text);
  return ipaddr.IPv4.networkAddressFromCIDR(text).toString() === address.toString() && prefix > 0;
}

/** True when two networks share an address. Both are valid networks. */
export function networksOverlap(a: string, b: string): boolean {
  const [left, right] = [ipaddr.IPv4.parseCIDR(a), ipaddr.IPv4.parseCIDR(b)];
  // Two networks are either apart or one inside the other, so comparing the shorter prefix decides.
  return left[1] <= right[1] ? right[0].match(left) : left[0].match(right);
}

/** True when the address lies in the network. Both are valid. */
export const networkContains = (network: string, address: string): boolean =>
  ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(network));

/** Text that is there. */
export const text = z.string().min(1, "must not be empty");

/** A name that is one RFC 1123 label, as node and cluster names are. */
export const labelName = z.string().regex(label, `must be ${labelRule}`);

/** A DNS name, not an address. */
export const dnsName = z
  .string()
  .refine(isDnsName, "must be a DNS name in lower case, as kubernetes-api.internal, not an address");

/** What an SSH client can dial: an IPv4 or IPv6 address or a DNS name; or not known yet. */
export const host = z
  .string()
  .refine(
    (value) =>
      value === notKnownYet || ipaddr.IPv6.isValid(value) || isIpv4(value) || isDnsName(value.toLowerCase()),
    "must be an IP address or a DNS name",
  );

/** An IPv4 address; or not known yet. */
export const address = z
  .string()
  .refine((value) => value === notKnownYet || isIpv4(value), "must be an IPv4 address, as 10.0.0.11");

/** An IPv4 address that is known from the beginning. */
export const fixedAddress = z.string().refine(isIpv4, "must be an IPv4 address, as 10.0.0.11");

/** An IPv4 address or a DNS name. */
export const addressOrName = z
  .string()
  .refine(
    (value) => isIpv4(value) || isDnsName(value),
    "must be an IPv4 address, as 10.0.0.11, or a DNS name in lower case",
  );

/** A directory on a machine, from its root. */
export const absoluteDirectory = z
  .string()
  .refine(
    (value) => /^(\/[\w.+@-]+)+$/.test(value) && !/\/\.{1,2}(\/|$)/.test(value),
    "must be an absolute path without spaces and .., as /var/backups/etcd",
  );

/** A network without host bits. */
export const network = z
  .string()
  .refine(isNetwork, "must be an IPv4 network without host bits, as 10.244.0.0/16");

/** A TCP or UDP port. */
export const port = z
  .int("must be a whole number")
  .min(1, "must be a port, 1 to 65535")
  .max(65535, "must be a port, 1 to 65535");

/** The NAME of an environment variable. A value that looks like a key is refused, so that no secret gets into the state. */
export const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the NAME of an environment variable, never the secret itself");

/** An SSH host key as `ssh-keyscan` prints it without the host, or its fingerprint as `ssh-keygen -lf` prints it. */
export const hostKey = z
  .string()
  .refine(
    (value) =>
      value === notKnownYet ||
      /^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/.test(value) ||
      /^SHA256:[A-Za-z0-9+/]{43}$/.test(value),
    'must be a public host key, as "ssh-ed25519 AAAA…", or its fingerprint, as "SHA256:…"',
  );

/** Name of a user of a machine, as Debian's useradd takes it. */
export const userName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be the name of a user: lower-case letters, digits, _ and -, at most 32, no digit first");

/** One line of an authorized_keys file without options: https://man.openbsd.org/sshd#AUTHORIZED_KEYS_FILE_FORMAT */
export const publicKey = z
  .string()
  .trim()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,2}( \P{Cc}*)?$/u,
    'must be one public key, as "ssh-ed25519 AAAA… comment", without options',
  );

/** An http or https address. */
export const webAddress = z
  .string()
  .refine(
    (value) => URL.canParse(value.replace(/\{\w+\}/g, "x")) && /^https?:\/\/[^/]/.test(value),
    "must be an http:// or https:// address",
  );

const labelPrefix = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const labelPart = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Key of a label or taint: an optional DNS prefix and a slash, then a name of at most 63 characters. */
export const qualifiedName = z.string().refine((key) => {
  const parts = key.split("/");
  return (
    parts.length <= 2 && labelPart.test(parts.at(-1)!) && (parts.length === 1 || labelPrefix.test(parts[0]!))
  );
}, "must be a Kubernetes key, as role or example.com/role");

/** Value of a label or taint; may be empty. */
export const labelValue = z
  .string()
  .refine(
    (value) => value === "" || labelPart.test(value),
    "must be at most 63 letters, digits, dots, hyphens or underscores",
  );

/** Name of an image with a tag or digest. */
export const image = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)+(:[\w][\w.-]{0,127}(@sha256:[a-f0-9]{64})?|@sha256:[a-f0-9]{64})$/,
    "must be an image with its registry and a tag or digest, as ghcr.io/flannel-io/flannel:v0.28.9",
  );
