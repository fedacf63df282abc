import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import type { ScriptedMachine, Site } from "./scripted-machine.ts";

const product = resolve(import.meta.dirname, "../..");
const modules = join(product, "node_modules");

/** What of the product the engine needs: everything that index.ts and cli/main.ts lead to. */
const parts = ["Pulumi.yaml", "package.json", "index.ts", "cli", "components", "controlplane", "kubeadm", "machine", "quorum", "scripts"];

const project = "pulumi-kubeadm";
const stackName = "test";

/** A call that takes longer hangs: even on a loaded computer none takes a tenth of it. */
const longestMs = 300_000;

/** How one call ended. */
export interface Result {
  readonly exitCode: number;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** What the state holds of one resource. */
export interface StateResource {
  readonly urn: string;
  readonly inputs?: Record<string, any>;
  readonly outputs?: Record<string, any>;
  readonly id?: string;
}

/** A stack's configuration for these machines, the first of which is the control plane. */
export function configOf(site: Site, [controlPlane, ...workers]: readonly ScriptedMachine[], more: Record<string, unknown> = {}) {
  return {
    ssh: { user: "ops", privateKeyEnv: "TEST_SSH_KEY", connectTimeoutSeconds: 3, ...(site.password && { sudoPasswordEnv: "TEST_SUDO_PASSWORD" }) },
    controlPlanes: [controlPlane!.settings],
    ...(workers.length > 0 && { workers: workers.map(({ settings }) => settings) }),
    ...more,
  };
}

/** The real engine with the real program, in a copy of the project, with its state and all else that it writes in one directory. */
export class Stack {
  readonly #home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-engine-"));
  readonly #environment: Record<string, string>;
  /** Copy of the project in which calls run. */
  readonly directory: string;
  /** Everything that was printed so far. */
  printed = "";

  /**
   * @param site whose key goes to the program by environment, as everything that is secret does
   * @param environment more variables
   */
  constructor(site: Site, environment: Record<string, string> = {}) {
    const tools = process.env.PULUMI_TOOLS;
    if (!tools) throw new Error("PULUMI_TOOLS is not set: run `npm run test:engine`");
    this.directory = this.copyProject("project");
    const bin = join(this.#home, "bin");
    mkdirSync(bin);
    mkdirSync(join(this.#home, "state"));
    for (const tool of ["pulumi", "pulumi-language-nodejs"]) symlinkSync(join(tools, tool), join(bin, tool));
    symlinkSync(join(modules, "@pulumi/pulumi/pulumi-resource-pulumi-nodejs"), join(bin, "pulumi-resource-pulumi-nodejs"));
    this.#environment = {
      PATH: [bin, join(modules, ".bin"), process.env.PATH].join(delimiter),
      HOME: this.#home,
      PULUMI_HOME: join(this.#home, "pulumi"),
      PULUMI_BACKEND_URL: `file://${join(this.#home, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "passphrase of the stack",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // Each call starts the same two programs anew.
      NODE_COMPILE_CACHE: join(this.#home, "compile-cache"),
      TEST_SSH_KEY: site.key.private,
      ...(site.password && { TEST_SUDO_PASSWORD: site.password }),
      ...environment,
    };
  }

  /** Another checkout of the project, beside the first. */
  copyProject(name: string): string {
    const directory = join(this.#home, name);
    mkdirSync(directory);
    for (const part of parts) cpSync(join(product, part), join(directory, part), { recursive: true });
    symlinkSync(modules, join(directory, "node_modules"));
    return directory;
  }

  /** Makes the stack with this configuration. */
  async open(config: Record<string, unknown>): Promise<this> {
    await this.succeed("stack", "init", stackName);
    this.configure(config);
    return this;
  }

  /** Writes the stack's file; keys without the project's prefix. */
  configure(config: Record<string, unknown>): void {
    const file = join(this.directory, `Pulumi.${stackName}.yaml`);
    const salt = /^encryptionsalt: .*$/m.exec(readFileSync(file, "utf8"))![0];
    const prefixed = Object.fromEntries(Object.entries(config).map(([key, value]) => [`${project}:${key}`, value]));
    // Without anchors, which the two mentions of one machine would make of it.
    writeFileSync(file, `${salt}\n${stringify({ config: prefixed }, { aliasDuplicateObjects: false })}`);
  }

  /** Starts the CLI and does not wait. */
  start(args: readonly string[], cwd = this.directory) {
    const inStack = args[0] === "stack" && args[1] === "init" ? [] : ["--stack", stackName];
    return this.#spawn("pulumi", [...args, ...inStack, "--non-interactive", "--color", "never"], cwd);
  }

  #spawn(command: string, args: readonly string[], cwd: string) {
    return execa(command, args, { cwd, env: this.#environment, extendEnv: false, reject: false, all: true, stdin: "ignore", timeout: longestMs });
  }

  async #ended(child: ReturnType<typeof this.start>): Promise<Result> {
    const { exitCode, all } = await child;
    this.printed += `${all}\n`;
    return { exitCode: exitCode ?? -1, output: all };
  }

  /** Runs the CLI; the exit code is the caller's to judge. */
  run(args: readonly string[], cwd?: string): Promise<Result> {
    return this.#ended(this.start(args, cwd));
  }

  /**
   * Runs the CLI.
   *
   * @returns what it printed
   * @throws Error with that when it fails
   */
  async succeed(...args: readonly string[]): Promise<string> {
    return this.succeedIn(this.directory, ...args);
  }

  /** The same in another checkout of the project. */
  async succeedIn(cwd: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.run(args, cwd);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${output}`);
    return output;
  }

  /**
   * Runs the CLI, which is to fail.
   *
   * @returns what it printed
   * @throws Error with that when it succeeds
   */
  async fail(...args: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.run(args);
    if (exitCode === 0) throw new Error(`pulumi ${args.join(" ")} did not fail:\n${output}`);
    return output;
  }

  /** `pulumi up` without a preview before it; it is to succeed. */
  up(): Promise<string> {
    return this.succeed("up", "--yes", "--skip-preview");
  }

  /** `pulumi up` without a preview before it; it is to fail. */
  failingUp(): Promise<string> {
    return this.fail("up", "--yes", "--skip-preview");
  }

  /** Runs cli/main.ts of a checkout. @param cwd where the operator is */
  cli(args: readonly string[], checkout = this.directory, cwd = checkout): Promise<Result> {
    return this.#ended(this.#spawn("node", [join(checkout, "cli/main.ts"), ...args], cwd));
  }

  /** Text of the state file. */
  get stateText(): string {
    return readFileSync(join(this.#home, "state/.pulumi/stacks", project, `${stackName}.json`), "utf8");
  }

  /** What the state holds, by the resources' names. */
  get state(): Map<string, StateResource> {
    const resources: StateResource[] = JSON.parse(this.stateText).checkpoint.latest?.resources ?? [];
    return new Map(resources.map((resource) => [resource.urn.split("::").at(-1)!, resource]));
  }

  /** What the state holds of our resources, without the provider's text and without what is encrypted anew with each writing. */
  get remembered(): Record<string, object> {
    const ours = [...this.state].filter(([, { urn }]) => urn.includes("dynamic/kubeadm:"));
    return Object.fromEntries(ours.map(([name, { outputs }]) => [name, { ...outputs, __provider: undefined, kubeconfig: undefined }]));
  }

  /** Processes that serve the kit's resources to an engine. */
  get providers(): number[] {
    return this.#processes.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("dynamic-provider"));
  }

  /** Processes in this stack's directory. */
  get #processes(): number[] {
    return readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${this.#home}/`);
        } catch {
          // It ended in this moment, or is the kernel's.
          return false;
        }
      });
  }

  /** Ends what a killed engine left behind, and removes the directory. */
  close(): void {
    for (const pid of this.#processes) process.kill(pid, "SIGKILL");
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}
