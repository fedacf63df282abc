import { gzipSync } from "node:zlib";
import type { Fingerprint } from "../../../machine/fingerprint.ts";

/** A fingerprint of these lines: section, key and value, parted by spaces where the first two have none, else by tabs. */
export function fingerprintOf(lines: readonly string[]): Fingerprint {
  const text = lines.map((line) => (line.includes("\t") ? line : line.replace(/^(\S+) (\S+) ?/, "$1\t$2\t")));
  return gzipSync(`${text.join("\n")}\n`).toString("base64");
}

/** A small machine, fresh from its cloud. */
export const bare: readonly string[] = [
  "package bash 5.2 ii",
  "package openssh-server:amd64 1:10.0 ii",
  "file /etc d 755 root:root",
  "file /etc/hosts f 644 root:root 00112233445566aa",
  "file /etc/passwd f 644 root:root 00112233445566bb",
  "file /etc/shadow f 640 root:shadow 00112233445566cc",
  "file /etc/ld.so.cache f 644 root:root 00112233445566dd",
  "file /var/lib/dpkg d 755 root:root",
  "file /var/lib/dpkg/status f 644 root:root 00112233445566ee",
  "file /var/lib/logrotate.status f 644 root:root 00112233445566ff",
  "file /var/lib/docker d 710 root:root",
  "sysctl net.ipv4.ip_forward 0",
  "sysctl net.ipv4.conf.eth0.forwarding 0",
  "sysctl vm.swappiness 60",
  "unit ssh.service enabled",
  "running ssh.service active",
  "user ops 1000:1000 /home/ops /bin/bash",
  "group ops 1000",
  "mount / ext4",
  "link eth0",
  "address\t192.0.2.11/24 on eth0\t",
  "route\tdefault via 192.0.2.1 dev eth0\t",
  "port\ttcp 0.0.0.0:22\tsshd",
  "home /home/ops d 700 ops:ops",
  "home /home/ops/.bashrc f 644 ops:ops",
  "passing /var/log/syslog f",
];
