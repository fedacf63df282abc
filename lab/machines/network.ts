import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { execa, type Options } from "execa";
import { network, type LabMachine } from "../machines.ts";

/** Name of the lab's network namespace; nothing of the lab's traffic leaves it. */
export const namespace = "lab";
const namespaceFile = `/run/netns/${namespace}`;

/** The host's side of a machine's network card. */
export function tapOf(machine: LabMachine): string {
  return `tap-${machine.name}`;
}

/** Makes namespace and bridge; what is there already stays. Safe after a crash at any point. */
export async function ensureNetwork(): Promise<void> {
  if (!(await namespaceWorks())) {
    await execa("ip", ["netns", "delete", namespace], { reject: false });
    rmSync(namespaceFile, { force: true });
    await execa("ip", ["netns", "add", namespace]);
  }
  await ip("link", "set", "lo", "up");
  if (!(await linkExists(network.bridge))) await ip("link", "add", network.bridge, "type", "bridge");
  await ip("address", "replace", `${network.address}/${network.prefixLength}`, "dev", network.bridge);
  await ip("link", "set", network.bridge, "up");
}

/** Makes the machine's tap, connected to the bridge. */
export async function ensureTap(machine: LabMachine): Promise<void> {
  const tap = tapOf(machine);
  if (!(await linkExists(tap))) await ip("tuntap", "add", "dev", tap, "mode", "tap");
  await ip("link", "set", tap, "master", network.bridge, "up");
}

/** Pulls (false) or plugs in (true) a machine's network cable. */
export async function setLink(machine: LabMachine, connected: boolean): Promise<void> {
  await ip("link", "set", tapOf(machine), connected ? "up" : "down");
}

/** Whether the lab's namespace exists and can be entered. */
export async function namespaceWorks(): Promise<boolean> {
  return (await execa("ip", ["-n", namespace, "link"], { reject: false })).exitCode === 0;
}

/** Whether this process itself runs inside the lab's namespace (as in `npm run lab -- shell`). */
export function insideNamespace(): boolean {
  const inode = namespaceInode();
  return inode !== undefined && readlinkSync("/proc/self/ns/net") === inode;
}

/** Runs a command inside the lab's namespace and waits for it, as execa does. */
export function inNamespace<O extends Options>(command: string, args: readonly string[], options?: O) {
  return insideNamespace()
    ? execa(command, args, options)
    : execa("ip", ["netns", "exec", namespace, command, ...args], options);
}

/** A process in the lab's namespace. */
export interface LabProcess {
  readonly pid: number;
  /** Leader of its session. */
  readonly session: number;
  readonly args: readonly string[];
}

/** Every living process in the lab's namespace: machines, the mirror's servers, shells. */
export function namespaceProcesses(): LabProcess[] {
  const inode = namespaceInode();
  if (inode === undefined) return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/ns/net`) !== inode) return [];
        // After the name, which stands in brackets and may hold anything: state, parent, group, session.
        const [state, , , session] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
        if (state === "Z") return [];
        const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
        return [{ pid: Number(pid), session: Number(session), args }];
      } catch {
        return []; // It ended while we looked.
      }
    });
}

/** Ends every process in the namespace and removes it with all its links. Does nothing when there is none. */
export async function removeNetwork(): Promise<void> {
  if (insideNamespace()) throw new Error("this shell is inside the lab's network: leave it first, then take the lab down");
  await endProcesses(() => namespaceProcesses());
  await execa("ip", ["netns", "delete", namespace], { reject: false });
  rmSync(namespaceFile, { force: true });
  await releaseNamespaceFolder();
}

/**
 * Kills what `list` gives until it gives nothing.
 *
 * @throws Error after 20 s, naming what is left
 */
export async function endProcesses(list: () => LabProcess[]): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (let left = list(); left.length > 0; left = list()) {
    if (Date.now() > deadline) {
      throw new Error(`still running after SIGKILL: ${left.map((p) => `${p.pid} ${p.args.join(" ")}`).join("; ")}`);
    }
    for (const { pid } of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// `ip netns add` mounts /run/netns onto itself and leaves that behind.
async function releaseNamespaceFolder(): Promise<void> {
  const mounts = () => readFileSync("/proc/self/mountinfo", "utf8").split("\n").some((line) => line.split(" ")[4] === "/run/netns");
  while (mounts() && existsSync("/run/netns") && readdirSync("/run/netns").length === 0) {
    if ((await execa("umount", ["/run/netns"], { reject: false })).exitCode !== 0) return;
  }
}

function namespaceInode(): string | undefined {
  try {
    return `net:[${statSync(namespaceFile).ino}]`;
  } catch {
    return undefined;
  }
}

async function linkExists(link: string): Promise<boolean> {
  return (await execa("ip", ["-n", namespace, "link", "show", link], { reject: false })).exitCode === 0;
}

async function ip(...args: string[]): Promise<void> {
  await execa("ip", ["-n", namespace, ...args]);
}
