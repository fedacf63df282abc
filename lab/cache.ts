import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Where everything that was built once is kept: outside the work tree, `$PULUMI_KUBEADM_CACHE` or ~/.cache/pulumi-kubeadm. */
export function cacheDirectory(): string {
  const directory = process.env.PULUMI_KUBEADM_CACHE ?? join(homedir(), ".cache/pulumi-kubeadm");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** One thing that is built once: a directory, named after what it is made of. */
export interface Artefact {
  /** A short name, as `tools-etcd`. */
  readonly name: string;
  /** Everything that its content depends on: versions, checksums, scripts. */
  readonly recipe: unknown;
  /** Fills the empty directory. */
  build(directory: string): Promise<void>;
}

/** What the artefact's directory is or will be called. */
export function keyOf(recipe: unknown): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 16);
}

/**
 * The artefact's directory, built when it is not there. It appears under its name only when it is complete, so that a run that was
 * broken off builds just what is missing; what an older recipe made is removed.
 *
 * @param onBuild told before a build starts
 */
export async function ensureArtefact({ name, recipe, build }: Artefact, onBuild: () => void = () => {}): Promise<string> {
  const directory = join(cacheDirectory(), "artefacts", `${name}-${keyOf(recipe)}`);
  if (existsSync(directory)) return directory;
  onBuild();
  const parent = join(directory, "..");
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(`${directory}.partial-`);
  try {
    await build(work);
    renameSync(work, directory);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
  for (const other of readdirSync(parent)) {
    const path = join(parent, other);
    if (path !== directory && new RegExp(`^${name}-[0-9a-f]{16}(\\.partial-.*)?$`).test(other)) rmSync(path, { recursive: true, force: true });
  }
  return directory;
}

/**
 * Runs `work` while no other process does so with the same cache. The kernel frees the lock when this process ends, however it ends.
 *
 * @param onWait called once when another run holds the lock
 */
export async function withCacheLock<T>(work: () => Promise<T>, onWait: () => void = () => {}): Promise<T> {
  // `cat` ends with our end of its standard input, and the lock with it.
  const script = 'exec 9> "$0"; flock --nonblock 9 || { echo waiting; flock 9 || exit; }; echo locked; exec cat';
  const holder = spawn("sh", ["-c", script, join(cacheDirectory(), "lock")], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((done, failed) => {
    holder.once("error", failed);
    holder.once("close", () => done());
  });
  try {
    await new Promise<void>((locked, failed) => {
      ended.then(() => failed(new Error("flock could not lock the cache")), failed);
      createInterface(holder.stdout).on("line", (line) => (line === "waiting" ? onWait() : locked()));
    });
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
