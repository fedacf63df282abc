import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { closeAllConnections } from "../../machine/connection.ts";
import type { Reporter } from "../../machine/reporter.ts";
import type { SshTarget } from "../../machine/target.ts";
import { generateKey } from "../keys.ts";
import { startMachine, type FakeMachine, type FakeMachineOptions } from "./server.ts";

/** A reporter that remembers. */
export interface Recorder extends Reporter {
  readonly progressed: string[];
  readonly informed: string[];
  readonly warned: string[];
}

export function recorder(): Recorder {
  const progressed: string[] = [];
  const informed: string[] = [];
  const warned: string[] = [];
  return {
    progressed, informed, warned,
    progress: (text) => progressed.push(text),
    info: (text) => informed.push(text),
    warn: (text) => warned.push(text),
  };
}

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  closeAllConnections();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Undone after the test. */
export function cleanUp(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** A machine for this test. */
export async function machine(options: FakeMachineOptions = {}): Promise<FakeMachine> {
  const started = await startMachine(options);
  cleanUp(() => started.close());
  return started;
}

/** A folder for this test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "ssh-test-"));
  cleanUp(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Sets an environment variable for this test. */
export function setVariable(name: string, value: string | undefined): void {
  const before = process.env[name];
  const set = (text: string | undefined) => (text === undefined ? delete process.env[name] : (process.env[name] = text));
  set(value);
  cleanUp(() => set(before));
}

/** The key that tests log in with. */
export const clientKey = generateKey();

/** How to reach a machine of this test as `ops`, with `changes`. */
export function targetOf({ port }: { port: number }, changes: Partial<SshTarget> = {}): SshTarget {
  const path = join(folder(), "id_ed25519");
  writeFileSync(path, clientKey.private, { mode: 0o600 });
  return {
    name: "cp1",
    host: "127.0.0.1",
    port,
    user: "ops",
    auth: { privateKeyPath: path, agent: false },
    hostKeys: "pin",
    knownHostsPath: join(folder(), "known_hosts"),
    connectTimeoutSeconds: 3,
    ...changes,
  };
}

/** What a promise was rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It was to fail, and did not");
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean, what: string, seconds = 10): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
