import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import { HostKeyError, UnreachableError } from "../machine/errors.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";

/** A machine that could not be reached when it was to be given back, and that still holds what the kit put there. */
export interface NotGivenBack {
  readonly target: SshTarget;
  readonly since: string;
  readonly reason: string;
}

/** The list lies beside Pulumi.yaml (the provider's working directory is the project's) and names no secret. */
export const listPath = "not-given-back.yaml";

// A machine found gone is not waited for again by the next stage of the same destroy.
const gone = new Set<string>();

/** The machines on the list. */
export function readNotGivenBack(): NotGivenBack[] {
  return existsSync(listPath) ? (parse(readFileSync(listPath, "utf8")) as NotGivenBack[]) : [];
}

/** Writes the list, or removes it when no machine is left on it. */
export function writeNotGivenBack(list: NotGivenBack[]): void {
  if (list.length === 0) return rmSync(listPath, { force: true });
  writeFileSync(listPath, stringify(list), { mode: 0o600 });
}

/** Another machine in its place has another host key. */
export const keyOf = (target: SshTarget): string => `${target.name} ${target.host}:${target.port} ${target.hostKey}`;

/**
 * Does the work, unless the machine cannot be reached or another machine answers in its place: then it warns, puts the machine
 * on the list, and returns undefined. For deletes: a dead machine must not keep the others from being given back.
 */
export async function unlessGone<T>(target: SshTarget, reporter: Reporter, work: () => Promise<T>): Promise<T | undefined> {
  if (gone.has(keyOf(target))) return undefined;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnreachableError || error instanceof HostKeyError)) throw error;
    // A bastion that is gone says nothing about the machines behind it.
    if (error.machine !== target.name) throw error;
    gone.add(keyOf(target));
    const others = readNotGivenBack().filter((entry) => keyOf(entry.target) !== keyOf(target));
    writeNotGivenBack([...others, { target, since: new Date().toISOString(), reason: error.message }]);
    reporter.warn(
      `${target.name} is not given back: ${error.message}\nIt is written to ${listPath}. ` +
        `Next: when the machine is back, run \`npx pulumi-kubeadm give-back ${target.name}\`.`,
    );
    return undefined;
  }
}
