import type { Options } from "execa";
import { users, type LabMachine } from "../machines.ts";
import { inNamespace } from "./network.ts";
import { clientKeyPath, knownHostsPath } from "./paths.ts";
import { consoleTail, isRunning } from "./uml.ts";

/** User that the lab itself logs in as: the one with passwordless sudo. */
export const labUser = users[0]!.name;

/** Arguments of `ssh` that reach the machine from inside the namespace, host key checked. */
export function sshArguments(machine: LabMachine, user = labUser): string[] {
  return [
    "-i", clientKeyPath(), "-o", "IdentitiesOnly=yes", "-o", `UserKnownHostsFile=${knownHostsPath}`,
    "-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR", "-F", "none", `${user}@${machine.address}`,
  ];
}

/** Runs a shell command on the machine as execa would; no password is ever asked. */
export function ssh<O extends Options>(machine: LabMachine, command: string, options?: O) {
  return inNamespace("ssh", ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", ...sshArguments(machine), command], options);
}

/** How a machine came up. */
export interface Readiness {
  /** What `systemctl is-system-running` says: "running", or "degraded" when units failed. */
  readonly state: "running" | "degraded";
  /** Failed units. */
  readonly failed: readonly string[];
  /** The kernel's name for this boot. */
  readonly boot: string;
}

/** Settings of {@link waitReady}. */
export interface Patience {
  /** Default: 120. */
  readonly deadlineSeconds?: number;
  /** A boot that does not count: the one before a restart. */
  readonly otherThan?: string;
}

/**
 * Waits until the machine lets the lab log in and systemd has started everything.
 *
 * @throws Error with the console's end when it is off again or the deadline passes
 */
export async function waitReady(machine: LabMachine, { deadlineSeconds = 300, otherThan }: Patience = {}): Promise<Readiness> {
  const deadline = Date.now() + deadlineSeconds * 1000;
  let last = "no answer";
  let missed = 0;
  while (Date.now() < deadline) {
    // A process that becomes another program, as at the start and at a reboot, has no name for a moment: one look says nothing.
    missed = isRunning(machine) ? 0 : missed + 1;
    if (missed > 8) throw new Error(`${machine.name} switched itself off; its console ends with:\n${consoleTail(machine)}`);
    const { stdout, stderr, exitCode } = await ssh(
      machine,
      "cat /proc/sys/kernel/random/boot_id; systemctl is-system-running --wait; systemctl list-units --failed --plain --no-legend | cut -d' ' -f1",
      { reject: false, timeout: Math.max(1000, deadline - Date.now()), stdin: "ignore" },
    );
    const [boot = "", state, ...failed] = stdout.split("\n").filter((line) => line !== "");
    if (exitCode === 0 && boot !== otherThan && (state === "running" || state === "degraded")) return { state, failed, boot };
    last = exitCode === 0 ? `${state}, boot ${boot}` : stderr;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${machine.name} was not ready after ${deadlineSeconds} s (ssh: ${last}); its console ends with:\n${consoleTail(machine)}`);
}
