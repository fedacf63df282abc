import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a stack, as the CLI tells it. */
export interface Lock {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** As written by the CLI. */
  readonly since: string;
}

/** The locks that `the stack is currently locked by …` lists; a service that keeps the state itself lists none. */
export function locksIn(message: string): Lock[] {
  const found = message.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g);
  return [...new Map([...found].map(([text, user, host, pid, since]) => [text, { user: user!, host: host!, pid: Number(pid), since: since! }])).values()];
}

/** True when all who hold the stack are processes of this computer that are no more: a `pulumi` that was killed leaves its lock. */
export function areStale(locks: readonly Lock[], isRunning: (pid: number) => boolean = runsPulumi): boolean {
  return locks.length > 0 && locks.every(({ host, pid }) => host === hostname() && !isRunning(pid));
}

function runsPulumi(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    // Another program may have got the number; where there is no /proc, it counts as pulumi.
    return readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("pulumi");
  } catch {
    return true;
  }
}
