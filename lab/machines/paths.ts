import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../cache.ts";
import type { LabMachine } from "../machines.ts";

/** What lives only as long as the lab is up: consoles, control sockets, known_hosts. */
export const runDirectory = "/run/pulumi-kubeadm-lab";

/** SSH host keys of all machines that have a disk, in known_hosts form. */
export const knownHostsPath = join(runDirectory, "known_hosts");

/** Console output of a machine since the lab came up. */
export function consolePath(machine: LabMachine): string {
  return join(machineRunDirectory(machine), "console");
}

/** Folder of a machine's console and control socket, made when missing. */
export function machineRunDirectory(machine: LabMachine): string {
  const directory = join(runDirectory, "machines", machine.name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Folder of all machines' disks. */
export const disksDirectory = () => join(cacheDirectory(), "disks");

/** Folder of a machine's disk: copy-on-write file, identity, machine.json. */
export function diskDirectory(machine: LabMachine): string {
  return join(disksDirectory(), machine.name);
}

/** Folder of a frozen set of disks. */
export function frozenDirectory(set: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(set)) throw new Error(`"${set}" is no name for a set of disks: lower-case letters, digits and dashes only`);
  return join(cacheDirectory(), "frozen", set);
}

/** The lab's one client key; it outlives `down`, because frozen disks know it. */
export const clientKeyPath = () => join(cacheDirectory(), "ssh", "id_ed25519");
