import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import type { ScriptedMachine, Site } from "./scripted-machine.ts";

const product = resolve(import.meta.dirname, "../..");
const modules = join(product, "node_modules");

/** What of the product a class needs: everything that index.ts and classroom/main.ts lead to. */
const parts = ["Pulumi.yaml", "package.json", "index.ts", "classroom", "components", "controlplane", "kubeadm", "machine", "quorum", "scripts"];

/** A call that takes longer hangs: even on a loaded computer none takes a quarter of it. */
const longestMs = 300_000;

/** A student of a test: an id and the machines. */
export type Seat = readonly [id: string, ...machines: ScriptedMachine[]];

/** Waits for something that happens while the command runs; if the command ends before, that is why the test fails. */
export function during<T>(command: ReturnType<ClassroomProject["start"]>, event: Promise<T>): Promise<T> {
  return Promise.race([event, command.then(({ all }) => Promise.reject(new Error(`it ended before:\n${all}`)))]);
}

/** A copy of the project with a class in it, its Pulumi state and all else that is written in one directory. */
export class ClassroomProject {
  readonly #home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-class-"));
  environment: Record<string, string>;
  readonly directory: string;
  readonly #said = new WeakMap<object, string>();

  /** @param engine whether commands may need Pulumi's, which the tests' runner names */
  constructor(site: Site, { engine = true }: { engine?: boolean } = {}) {
    const tools = process.env.PULUMI_TOOLS;
    if (engine && !tools) throw new Error("PULUMI_TOOLS is not set: run `npm run test:engine`");
    this.directory = join(this.#home, "project");
    const bin = join(this.#home, "bin");
    for (const directory of [this.directory, bin, join(this.#home, "state")]) mkdirSync(directory);
    for (const part of parts) cpSync(join(product, part), join(this.directory, part), { recursive: true });
    symlinkSync(modules, join(this.directory, "node_modules"));
    if (engine) {
      for (const tool of ["pulumi", "pulumi-language-nodejs"]) symlinkSync(join(tools!, tool), join(bin, tool));
      symlinkSync(join(modules, "@pulumi/pulumi/pulumi-resource-pulumi-nodejs"), join(bin, "pulumi-resource-pulumi-nodejs"));
    }
    this.environment = {
      PATH: [bin, join(modules, ".bin"), process.env.PATH].join(delimiter),
      HOME: this.#home,
      PULUMI_HOME: join(this.#home, "pulumi"),
      PULUMI_BACKEND_URL: `file://${join(this.#home, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "passphrase of the stacks",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      NODE_COMPILE_CACHE: join(this.#home, "compile-cache"),
      TEST_SSH_KEY: site.key.private,
    };
  }

  /** Writes class.yaml and roster.csv. @param hostKeys of the roster, by student @param vips of the roster, by student */
  write(
    seats: readonly Seat[],
    { connectTimeoutSeconds = 3, hostKeys = {}, vips = {}, ...more }: { connectTimeoutSeconds?: number; hostKeys?: Record<string, string>; vips?: Record<string, string> } & Record<string, unknown> = {},
  ): void {
    const cells = (machines: readonly ScriptedMachine[], cell: (machine: ScriptedMachine) => string) => machines.map(cell).join(" ");
    const rows = seats.map(([id, ...machines]) => [id, `학생 ${id}`, cells(machines, ({ settings }) => `${settings.host}:${settings.port}`), cells(machines, ({ clusterAddress }) => clusterAddress), hostKeys[id] ?? "", vips[id] ?? ""]);
    writeFileSync(join(this.directory, "roster.csv"), [["student", "name", "machines", "internal", "hostkey", "vip"], ...rows].map((row) => row.join(";")).join("\r\n"));
    const klass = { name: "cka", cluster: { ssh: { user: "ops", privateKeyEnv: "TEST_SSH_KEY", connectTimeoutSeconds } }, ...more };
    writeFileSync(join(this.directory, "class.yaml"), stringify(klass));
  }

  /** Starts `classroom` and does not wait. */
  start(args: readonly string[]) {
    return this.#spawn("node", ["classroom/main.ts", ...args]);
  }

  /** The same in a process group of its own, as a terminal starts it: Ctrl-C goes to all of the group. */
  startInTerminal(args: readonly string[]) {
    const child = this.#spawn("node", ["classroom/main.ts", ...args], { detached: true });
    child.all.on("data", (chunk: Buffer) => this.#said.set(child, (this.#said.get(child) ?? "") + String(chunk)));
    return child;
  }

  /** What a command that was started in a terminal has printed so far. */
  said(child: ReturnType<typeof this.startInTerminal>): string {
    return this.#said.get(child) ?? "";
  }

  #spawn(command: string, args: readonly string[], { detached = false } = {}) {
    return execa(command, args, { cwd: this.directory, env: this.environment, extendEnv: false, reject: false, all: true, stdin: "ignore", timeout: longestMs, detached });
  }

  /** Runs `classroom`; the exit code is the caller's to judge. */
  async run(...args: readonly string[]): Promise<{ exitCode: number; output: string }> {
    const { exitCode, all } = await this.start(args);
    return { exitCode: exitCode ?? -1, output: all };
  }

  /** Runs the plain CLI. */
  async pulumi(...args: readonly string[]): Promise<{ exitCode: number; output: string }> {
    const { exitCode, all } = await this.#spawn("pulumi", [...args, "--non-interactive", "--color", "never"]);
    return { exitCode: exitCode ?? -1, output: all };
  }

  /** A file that was written for a student, beside the class file. */
  journal(name: string): string {
    return readFileSync(join(this.directory, ".classroom/cka", name), "utf8");
  }

  /** Writes what a command would have left of a student. */
  leave(student: string, entry: object): void {
    const directory = join(this.directory, ".classroom/cka");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `${student}.json`), JSON.stringify(entry));
  }

  /** Ends what killed engines left behind, which is what stands in this class's directory, and removes that. */
  close(): void {
    for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
      try {
        if (readlinkSync(`/proc/${pid}/cwd`).startsWith(`${this.#home}/`)) process.kill(Number(pid), "SIGKILL");
      } catch {
        // It ended in this moment, or is the kernel's.
      }
    }
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}
