import { hostname, userInfo } from "node:os";
import type { SshTarget } from "../machine/target.ts";
import { hasUnknown } from "./lifecycle.ts";

/**
 * Whether the new target is another machine than the old one. A machine is its SSH host key: the same key at a new address is
 * the same machine, and a key that is not known yet is taken for another machine, as the engine asks when it plans a replacement.
 */
export function anotherMachine(old: SshTarget, wanted: SshTarget): boolean {
  if (hasUnknown(wanted)) return true;
  return old.hostKey !== undefined && wanted.hostKey !== undefined && old.hostKey !== wanted.hostKey;
}

/** Who works on a machine, as others are told who wait for it: user, host, process and stack. */
export function holderOf(self: string): string {
  const stack = self.split("::")[0]!.replace("urn:pulumi:", "");
  return `${userInfo().username}@${hostname()} (process ${process.pid}, stack ${stack})`;
}
