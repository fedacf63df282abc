/**
 * The lab's machines for programs: demo, tests, benchmark and the command line (lab.ts) all use these.
 * Everything is safe to call again, and after a killed run.
 */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { machineNamed, machines, type LabMachine } from "./machines.ts";
import { ensureBaseImage } from "./machines/base.ts";
import { deleteDisks, deleteFrozen, diskOf, freezeDisks, frozenMachines, makeDisk, thawDisk, writeKnownHosts } from "./machines/disk.ts";
import { ensureNetwork, inNamespace, namespace, removeNetwork, setLink } from "./machines/network.ts";
import { clientKeyPath, knownHostsPath, runDirectory } from "./machines/paths.ts";
import { labUser, ssh, waitReady, type Readiness } from "./machines/ssh.ts";
import * as uml from "./machines/uml.ts";
import { signingKey } from "./site/signing.ts";

export { ensureBaseImage, ensureNetwork, frozenMachines, deleteFrozen, inNamespace, namespace, ssh, waitReady };
export { consoleTail } from "./machines/uml.ts";
export type { Readiness };

/** How a program reaches a machine, from inside the lab's namespace. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Path of the lab's private key. */
  readonly keyPath: string;
  /** "ssh-ed25519 AAAA…" */
  readonly hostKey: string;
  /** known_hosts of all machines. */
  readonly knownHostsPath: string;
}

/** One line of `status`. */
export interface MachineStatus {
  readonly name: string;
  readonly address: string;
  readonly state: "on" | "off" | "no disk";
  /** Memory that the host gave to it, in MiB. */
  readonly memory?: number;
  /** "SHA256:…" of its ed25519 host key. */
  readonly fingerprint?: string;
}

/** Settings of {@link up}. */
export interface UpOptions {
  /** Start from this frozen set of disks instead of the disks that are there. */
  readonly from?: string;
  /** Memory in MiB, instead of what machines.ts says. */
  readonly memory?: number;
  /** Told what is happening to which machine. */
  readonly progress?: (machine: string, text: string) => void;
}

/**
 * Brings machines to the point where one can log in: network, base image, a disk where there is none, power.
 * A machine that is on already stays as it is, unless `from` is given.
 *
 * @returns how each came up, by name
 */
export async function up(names: readonly string[], options: UpOptions = {}): Promise<Record<string, Readiness>> {
  const chosen = names.map(machineNamed);
  const { from, memory, progress = () => {} } = options;
  if (from !== undefined) {
    const there = frozenMachines(from);
    const missing = names.filter((name) => !there.includes(name));
    if (missing.length > 0) throw new Error(`the frozen set "${from}" cannot start ${missing.join(", ")}; it has ${there.join(", ") || "nothing"}`);
  }
  refuseWithoutMemory(chosen, memory);
  const base = await ensureBaseImage((text) => names.forEach((name) => progress(name, `base image: ${text}`)));
  await ensureNetwork();
  writeKnownHosts();
  for (const machine of chosen) {
    if (from !== undefined) {
      progress(machine.name, `taking its disk from "${from}"`);
      await uml.kill(machine);
      await thawDisk(from, machine);
    } else if (!diskOf(machine)) {
      progress(machine.name, "making its disk");
      await uml.kill(machine);
      await makeDisk(machine, base, (await signingKey()).armored);
    }
  }
  return Object.fromEntries(await Promise.all(chosen.map(async (machine) => [machine.name, await boot(machine, memory, progress)] as const)));
}

/** Takes the whole lab down: machines, mirror, network, mounts; disks too, frozen sets excepted. */
export async function down(): Promise<void> {
  await removeNetwork();
  deleteDisks();
  rmSync(runDirectory, { recursive: true, force: true });
}

/** All machines and how they are. */
export async function status(): Promise<MachineStatus[]> {
  return Promise.all(machines.map(async (machine) => {
    const { name, address } = machine;
    const disk = diskOf(machine);
    if (!disk) return { name, address, state: "no disk" as const };
    const on = uml.isRunning(machine);
    return { name, address, state: on ? ("on" as const) : ("off" as const), memory: on ? uml.touchedMemory(machine) : undefined, fingerprint: fingerprint(disk.hostKeys[0]!) };
  }));
}

/** Restarts a machine cleanly, from within, and waits until one can log in again. */
export async function reboot(name: string): Promise<Readiness> {
  const machine = machineNamed(name);
  const { boot } = await waitReady(machine);
  await ssh(machine, "sudo systemctl reboot", { reject: false, stdin: "ignore" });
  return waitReady(machine, { otherThan: boot, deadlineSeconds: 300 });
}

/**
 * Switches a machine off: cleanly by asking it over SSH, or `hard` by pulling the plug.
 *
 * @throws Error when a clean shutdown takes longer than three minutes
 */
export async function powerOff(name: string, { hard = false }: { hard?: boolean } = {}): Promise<void> {
  const machine = machineNamed(name);
  if (hard) return uml.kill(machine);
  if (!uml.isRunning(machine)) return;
  await ssh(machine, "sudo systemctl poweroff", { reject: false, stdin: "ignore" });
  await uml.waitOff(machine, 180);
}

/** Switches a machine on and waits until one can log in. */
export async function powerOn(name: string, { memory }: { memory?: number } = {}): Promise<Readiness> {
  await ensureNetwork();
  writeKnownHosts();
  return boot(machineNamed(name), memory);
}

/** Pulls the plug and gives the machine a pristine disk with new host keys, as a reinstalled machine has; then switches it on. */
export async function reset(name: string, { memory }: { memory?: number } = {}): Promise<Readiness> {
  const machine = machineNamed(name);
  await uml.kill(machine);
  await makeDisk(machine, await ensureBaseImage(), (await signingKey()).armored);
  return powerOn(name, { memory });
}

/** Switches machines off cleanly and copies their disks to a set, for {@link up} with `from`. They stay off. */
export async function freeze(set: string, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => powerOff(name)));
  await freezeDisks(set, names.map(machineNamed));
}

/** Stops a machine in the middle of its work: it answers nothing, as on a hung host. */
export function pause(name: string): void {
  uml.signalMachine(machineNamed(name), "SIGSTOP");
}

/** Lets a paused machine go on. */
export function resume(name: string): void {
  uml.signalMachine(machineNamed(name), "SIGCONT");
}

/** Pulls a machine's network cable. */
export async function cutNetwork(name: string): Promise<void> {
  await setLink(machineNamed(name), false);
}

/** Plugs it in again. */
export async function restoreNetwork(name: string): Promise<void> {
  await setLink(machineNamed(name), true);
}

/**
 * How to reach a machine that has a disk.
 *
 * @param user one of machines.ts; default: the one with passwordless sudo
 */
export function sshTarget(name: string, user = labUser): SshTarget {
  const machine = machineNamed(name);
  const disk = diskOf(machine);
  if (!disk) throw new Error(`${name} has no disk: \`npm run lab -- up ${name}\` makes one`);
  return { host: machine.address, port: 22, user, keyPath: clientKeyPath(), hostKey: disk.hostKeys[0]!, knownHostsPath };
}

// What a machine really touches as a member of a cluster is a little more than half of what it sees.
function refuseWithoutMemory(chosen: readonly LabMachine[], memory?: number): void {
  const needed = chosen.filter((machine) => !uml.isRunning(machine)).reduce((sum, machine) => sum + 0.6 * (memory ?? machine.memory), 0);
  const free = process.availableMemory() / 2 ** 20;
  if (needed > free) {
    throw new Error(
      `${chosen.map((machine) => machine.name).join(", ")} would need ${Math.ceil(needed)} MiB of memory, ${Math.floor(free)} are free: boot fewer machines, or end something`,
    );
  }
}

async function boot(machine: LabMachine, memory?: number, progress: (machine: string, text: string) => void = () => {}): Promise<Readiness> {
  if (!uml.isRunning(machine)) {
    progress(machine.name, "booting");
    await uml.start(machine, memory);
  }
  progress(machine.name, "waiting until it is ready");
  return waitReady(machine);
}

// As `ssh-keygen -l` shows it.
function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1]!, "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
