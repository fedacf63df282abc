import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { ensureArtefact } from "../cache.ts";
import { machines, type LabMachine } from "../machines.ts";
import { checkBase, diskOf } from "./disk.ts";
import { endProcesses, ensureTap, namespace, namespaceProcesses, tapOf, type LabProcess } from "./network.ts";
import { consolePath, diskDirectory, machineRunDirectory } from "./paths.ts";

const startScript = join(import.meta.dirname, "start-uml.sh");
const xstateSource = join(import.meta.dirname, "xstate.c");

let xstate: Promise<string> | undefined;

/** Directory of what User Mode Linux needs on processors that are newer than it: xstate.c tells. Made once, for all machines. */
const xstateLibrary = (): Promise<string> =>
  (xstate ??= ensureArtefact({
    name: "xstate",
    recipe: readFileSync(xstateSource, "utf8"),
    build: async (target) => void (await execa("gcc", ["-shared", "-fPIC", "-O2", "-s", xstateSource, "-o", join(target, "xstate.so")])),
  }));

/** Processes of one machine: User Mode Linux runs each guest program, and its own helpers, in one of the host's. */
export function machineProcesses(machine: LabMachine): LabProcess[] {
  return namespaceProcesses().filter((process) => process.args.includes(`umid=${machine.name}`));
}

/** The machine's own process, or undefined when it is off (helpers of a killed one may be left); a paused machine has one too. */
export function mainProcess(machine: LabMachine): LabProcess | undefined {
  return machineProcesses(machine).find((process) => process.pid === process.session);
}

/** Whether the machine is on. */
export function isRunning(machine: LabMachine): boolean {
  return mainProcess(machine) !== undefined;
}

/** Switches a machine that is off on and returns at once; it needs network and disk. `memory` in MiB. */
export async function start(machine: LabMachine, memory = machine.memory): Promise<void> {
  const disk = diskOf(machine);
  if (!disk) throw new Error(`${machine.name} has no disk`);
  checkBase(disk, `the disk of ${machine.name}`, `\`npm run lab -- reset ${machine.name}\` makes a new one`);
  await kill(machine);
  await ensureTap(machine);
  const console = openSync(consolePath(machine), "a", 0o600);
  const child = spawn(
    "ip",
    ["netns", "exec", namespace, "taskset", "--cpu-list", String(processorOf(machine)), startScript, `umid=${machine.name}`, `vec0:transport=tap,ifname=${tapOf(machine)},depth=128,gro=1,mac=${macOf(machine)}`],
    {
      detached: true,
      stdio: ["ignore", console, console],
      env: {
        PATH: process.env.PATH,
        TREE: join(disk.base, "uml"),
        BASE: disk.base,
        DISK: diskDirectory(machine),
        RUN: machineRunDirectory(machine),
        XSTATE: join(await xstateLibrary(), "xstate.so"),
        MEMORY: String(memory),
      },
    },
  );
  closeSync(console);
  child.unref();
  // It counts as running once it is inside the namespace.
  let ended: string | undefined;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code, signal) => (ended = `ended with ${code ?? signal}`));
  while (!isRunning(machine)) {
    if (ended !== undefined) throw new Error(`${machine.name} cannot be switched on: ${ended}\n${consoleTail(machine)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Pulls the plug: the machine's processes are killed. Does nothing when it is off. */
export async function kill(machine: LabMachine): Promise<void> {
  await endProcesses(() => machineProcesses(machine));
}

/**
 * Waits until the machine has switched itself off.
 *
 * @throws Error with the console's end after `deadlineSeconds`
 */
export async function waitOff(machine: LabMachine, deadlineSeconds: number): Promise<void> {
  const deadline = Date.now() + deadlineSeconds * 1000;
  while (isRunning(machine)) {
    if (Date.now() > deadline) {
      throw new Error(`${machine.name} did not switch off in ${deadlineSeconds} s; its console ends with:\n${consoleTail(machine)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Memory of the host that the machine holds, in MiB. */
export function touchedMemory(machine: LabMachine): number {
  const main = mainProcess(machine);
  if (!main) return 0;
  const shared = /^RssShmem:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${main.pid}/status`, "utf8"))?.[1];
  return Math.round(Number(shared ?? 0) / 1024);
}

/** Freezes the machine in the middle of whatever it does, as a hung host; or lets it go on. */
export function signalMachine(machine: LabMachine, signal: "SIGSTOP" | "SIGCONT"): void {
  const main = mainProcess(machine);
  if (!main) throw new Error(`${machine.name} is off`);
  process.kill(main.pid, signal);
}

/**
 * The processor of this computer that the machine runs on. Each system call of a guest is a word from one process of User Mode Linux to
 * another, never two at once: on one processor they need not wake another one, nor wait for a place on it. Where there is other
 * work to do, that is several times faster.
 */
function processorOf(machine: LabMachine): number {
  const allowed = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))![1]!.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return allowed[machines.findIndex(({ name }) => name === machine.name) % allowed.length]!;
}

/** The end of what the machine printed on its console. */
export function consoleTail(machine: LabMachine, lines = 25): string {
  if (!existsSync(consolePath(machine))) return "(no console output)";
  return readFileSync(consolePath(machine), "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}

// Fixed, so that the neighbours' ARP entries stay true when a machine is switched off and on; locally administered.
function macOf(machine: LabMachine): string {
  return ["02", "00", ...machine.address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"))].join(":");
}
