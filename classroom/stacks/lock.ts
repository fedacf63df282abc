import { hostname } from "node:os";
import { isRunning } from "../process.ts";

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
export function areStale(locks: readonly Lock[], runs: (pid: number) => boolean = (pid) => isRunning(pid, "pulumi")): boolean {
  return locks.length > 0 && locks.every(({ host, pid }) => host === hostname() && !runs(pid));
}
