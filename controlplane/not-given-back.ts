import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
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

/** The directory of machines not given back, as messages name it: it lies beside Pulumi.yaml. */
export const listName = "not-given-back";

/**
 * One file for each machine, so that stacks that are destroyed at the same time never write the same one. The files name no secret.
 * Found from the project's own code: the commands run in any directory.
 */
const listDirectory = resolve(import.meta.dirname, "..", listName);

// A machine found gone is not waited for again by the next stage of the same destroy.
const gone = new Set<string>();

/** Another machine in its place has another host key. */
const keyOf = (target: SshTarget): string => `${target.name} ${target.host}:${target.port} ${target.hostKey}`;

/** The name for people, and behind it what tells machines of one name apart. */
function fileOf(target: SshTarget): string {
  const identity = createHash("sha256").update(keyOf(target)).digest("hex").slice(0, 12);
  return `${target.name.replace(/[^A-Za-z0-9-]/g, "_")}-${identity}.yaml`;
}

/** The file of a machine, as messages name it. */
export const listedAs = (target: SshTarget): string => `${listName}/${fileOf(target)}`;

/**
 * The machines that were not given back, by name.
 *
 * @throws Error that names a file that cannot be read
 */
export function readNotGivenBack(directory = listDirectory): NotGivenBack[] {
  return filesIn(directory).flatMap((file) => entryIn(join(directory, file)) ?? []);
}

/** Notes a machine, in place of what was noted of the same machine before. Whole or not at all, whoever else writes. */
export function noteNotGivenBack(entry: NotGivenBack, directory = listDirectory): void {
  const file = fileOf(entry.target);
  const part = join(directory, `${file}.${process.pid}.part`);
  for (;;) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(part, stringify(entry), { mode: 0o600 });
      return renameSync(part, join(directory, file));
    } catch (error) {
      // Whoever took the last machine off removed the directory in this moment.
      if (!isMissing(error)) throw error;
    }
  }
}

/** Takes a machine off; the directory goes with the last. */
export function takeOffNotGivenBack(target: SshTarget, directory = listDirectory): void {
  rmSync(join(directory, fileOf(target)), { force: true });
  try {
    rmdirSync(directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code!;
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(code)) throw error;
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((file) => file.endsWith(".yaml")).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Undefined when the machine was taken off in this moment. */
function entryIn(path: string): NotGivenBack | undefined {
  try {
    return parse(readFileSync(path, "utf8")) as NotGivenBack;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Error(`${path} cannot be read: ${(error as Error).message}\nNext: put it right, or remove it if the machine was given back.`);
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

/**
 * Does the work, unless the machine cannot be reached or another machine answers in its place: then it warns, notes the machine, and
 * returns undefined. For deletes: a dead machine must not keep the others from being given back.
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
    noteNotGivenBack({ target, since: new Date().toISOString(), reason: error.message });
    reporter.warn(
      `${target.name} is not given back: ${error.message}\nIt is written to ${listedAs(target)}. ` +
        `Next: when the machine is back, run \`npx pulumi-kubeadm give-back ${target.name}\`.`,
    );
    return undefined;
  }
}
