import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { machines, network, users, type LabMachine } from "../machines.ts";
import type { BaseImage } from "./base.ts";
import { clientKeyPath, diskDirectory, disksDirectory, frozenDirectory, knownHostsPath, runDirectory } from "./paths.ts";

const keyTypes = ["ed25519", "ecdsa"] as const;

/** What is remembered about a disk, beside it. */
export interface DiskRecord {
  /** Folder of the base image that the disk is a copy of. */
  readonly base: string;
  /** The base image's modification time in ms: User Mode Linux refuses a base that was made anew. */
  readonly baseMade: number;
  /** Public host keys, "ssh-ed25519 AAAA…" first. */
  readonly hostKeys: readonly string[];
}

/** The machine's disk, or undefined when it has none. */
export function diskOf(machine: LabMachine): DiskRecord | undefined {
  return readRecord(diskDirectory(machine));
}

/**
 * Gives the machine a pristine disk with new host keys; an older disk is lost. The machine must be off.
 * Costs less than a second: only the identity is written, the rest is a copy-on-write file over the base.
 *
 * @param archiveKey armored public key of the package mirror, which the machine's apt trusts
 */
export async function makeDisk(machine: LabMachine, base: BaseImage, archiveKey: string): Promise<DiskRecord> {
  await ensureClientKey();
  const directory = diskDirectory(machine);
  rmSync(directory, { recursive: true, force: true });
  const fresh = temporaryBeside(directory);
  const hostKeys = await writeIdentity(fresh, machine, archiveKey);
  const record: DiskRecord = { base: base.directory, baseMade: statSync(base.image).mtimeMs, hostKeys };
  writeFileSync(join(fresh, "machine.json"), JSON.stringify(record, null, 2));
  renameSync(fresh, directory);
  writeKnownHosts();
  return record;
}

/** Removes all disks, frozen sets excepted, and what a killed run left of one. */
export function deleteDisks(): void {
  rmSync(disksDirectory(), { recursive: true, force: true });
}

/** Copies the disks of machines that are off to a named set, replacing an older set of that name. */
export async function freezeDisks(set: string, chosen: readonly LabMachine[]): Promise<void> {
  const target = frozenDirectory(set);
  const fresh = temporaryBeside(target);
  for (const machine of chosen) await copyDisk(diskDirectory(machine), join(fresh, machine.name));
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
}

/**
 * Gives a machine that is off its disk from a frozen set.
 *
 * @throws Error when the set has no such machine, or its base image is gone
 */
export async function thawDisk(set: string, machine: LabMachine): Promise<void> {
  const source = join(frozenDirectory(set), machine.name);
  const record = readRecord(source);
  if (!record) throw new Error(`the frozen set "${set}" has no disk of ${machine.name}`);
  checkBase(record, `the frozen disk of ${machine.name} in "${set}"`, "freeze the set anew");
  const directory = diskDirectory(machine);
  const fresh = temporaryBeside(directory);
  await copyDisk(source, join(fresh, "disk"));
  rmSync(directory, { recursive: true, force: true });
  renameSync(join(fresh, "disk"), directory);
  rmSync(fresh, { recursive: true });
  writeKnownHosts();
}

/** Names of the machines in a frozen set that can be started from; empty when there is no such set. */
export function frozenMachines(set: string): string[] {
  const directory = frozenDirectory(set);
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => {
    const record = readRecord(join(directory, name));
    return record !== undefined && baseUnchanged(record);
  });
}

/** Forgets a frozen set. */
export function deleteFrozen(set: string): void {
  rmSync(frozenDirectory(set), { recursive: true, force: true });
}

/**
 * Refuses a disk whose base image is not the one that it was made over.
 *
 * @throws Error with what to do next
 */
export function checkBase(record: DiskRecord, what: string, next: string): void {
  if (!baseUnchanged(record)) throw new Error(`${what} was made over a base image that is not there any more (${record.base}): ${next}`);
}

/** Writes known_hosts for all machines that have a disk. */
export function writeKnownHosts(): void {
  mkdirSync(runDirectory, { recursive: true, mode: 0o755 });
  const lines = machines.flatMap((machine) => diskOf(machine)?.hostKeys.map((key) => `${machine.address} ${key}\n`) ?? []);
  writeFileSync(knownHostsPath, lines.join(""));
}

function baseUnchanged(record: DiskRecord): boolean {
  const image = join(record.base, "base.img");
  return existsSync(image) && statSync(image).mtimeMs === record.baseMade;
}

function readRecord(directory: string): DiskRecord | undefined {
  const file = join(directory, "machine.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DiskRecord) : undefined;
}

// A folder in the same file system, so that a finished one takes its place in one step. What a killed run left of one goes.
function temporaryBeside(directory: string): string {
  mkdirSync(dirname(directory), { recursive: true });
  for (const left of globSync(`${directory}.partial-*`)) rmSync(left, { recursive: true, force: true });
  return mkdtempSync(`${directory}.partial-`);
}

async function copyDisk(source: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  await execa("cp", ["--archive", "--sparse=always", "--reflink=auto", `${source}/.`, target]);
}

async function ensureClientKey(): Promise<void> {
  if (existsSync(clientKeyPath())) return;
  mkdirSync(dirname(clientKeyPath()), { recursive: true, mode: 0o700 });
  await generateKey("ed25519", clientKeyPath(), "lab");
}

async function generateKey(type: string, file: string, comment: string): Promise<void> {
  await execa("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", comment, "-f", file]);
}

// A tar archive on the raw second disk: the machine needs nothing but tar to read it (overlay/usr/lib/lab/identity).
async function writeIdentity(directory: string, machine: LabMachine, archiveKey: string): Promise<string[]> {
  const root = join(directory, "identity");
  const file = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    chmodSync(join(root, path), mode);
  };
  file("users", users.map((user) => `${user.name}\n`).join(""));
  file("authorized_keys", readFileSync(`${clientKeyPath()}.pub`, "utf8"));
  file("files/etc/hostname", `${machine.name}\n`);
  file("files/etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${machine.name}\n\n::1 localhost ip6-localhost ip6-loopback\n`);
  file(
    "files/etc/systemd/network/10-lab.network",
    `[Match]\nName=vec0\n\n[Network]\nAddress=${machine.address}/${network.prefixLength}\nGateway=${network.address}\nDNS=${network.address}\n`,
  );
  file("files/usr/share/keyrings/lab-archive-keyring.asc", archiveKey);
  mkdirSync(join(root, "files/etc/ssh"), { recursive: true });
  const hostKeys: string[] = [];
  for (const type of keyTypes) {
    const key = join(root, `files/etc/ssh/ssh_host_${type}_key`);
    await generateKey(type, key, `root@${machine.name}`);
    hostKeys.push(readFileSync(`${key}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" "));
  }
  await execa("tar", ["--create", "--file", join(directory, "identity.tar"), "--owner=root:0", "--group=root:0", "--directory", root, "."]);
  rmSync(root, { recursive: true });
  return hostKeys;
}
