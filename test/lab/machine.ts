import { ssh } from "../../lab/api.ts";
import { machineNamed } from "../../lab/machines.ts";

/** Runs a command as root on a lab machine; never throws for its exit code. */
export async function sudo(machine: string, command: string): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await ssh(machineNamed(machine), "sudo bash -s", { reject: false, input: command });
  return { exitCode: exitCode ?? 255, stdout: String(stdout).trim(), stderr: String(stderr).trim() };
}

/**
 * Waits for a condition.
 *
 * @throws Error that says what was waited for when the seconds have passed
 */
export async function until(seconds: number, description: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
