import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { execa, type ResultPromise } from "execa";
import { stringify } from "yaml";
import { cacheDirectory } from "./cache.ts";
import { namespace } from "./machines/network.ts";
import { versions } from "./versions.ts";

/** The project that the lab drives, as a user would: by its Pulumi.yaml and the CLI. */
export const projectDirectory = resolve(import.meta.dirname, "..");

/** How one call of the CLI ended. */
export interface PulumiResult {
  readonly exitCode: number;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** Programs of the project as a user starts them, from inside the lab's network, with a file backend of the lab's own. */
export interface LabProject {
  readonly environment: Record<string, string>;
  /** Runs `pulumi` or `node` and waits; never throws for an exit code. `cwd`: another clone of the project. */
  run(command: string, args: readonly string[], cwd?: string): Promise<PulumiResult>;
  /** Starts it and does not wait, for tests that kill it. */
  start(command: string, args: readonly string[], cwd?: string): ResultPromise<{ all: true; reject: false; stdin: "ignore" }>;
  /** Runs it on this terminal. @returns its exit code */
  show(command: string, args: readonly string[]): Promise<number>;
}

/** A stack of that project. */
export interface LabStack {
  readonly name: string;
  readonly environment: Record<string, string>;
  /** Writes Pulumi.NAME.yaml; keys without the project's prefix. */
  configure(config: Record<string, unknown>): void;
  /** Runs the CLI and waits; never throws for an exit code. `cwd`: another clone of the project. */
  run(args: readonly string[], options?: { cwd?: string }): Promise<PulumiResult>;
  /** Runs the CLI on this terminal, as a user would. @returns its exit code */
  show(args: readonly string[]): Promise<number>;
  /** Starts the CLI and does not wait, for tests that kill it. */
  start(args: readonly string[]): ResultPromise<{ all: true; reject: false; stdin: "ignore" }>;
  /** Runs `pulumi-kubeadm` with these arguments. `cwd`: in another clone of the project. */
  cli(args: readonly string[], cwd?: string): Promise<PulumiResult>;
}

/**
 * @param home a directory for the backend and for PULUMI_HOME
 * @param tools directory with the pulumi binary and the Node language host
 * @param more variables of the environment
 */
export function openProject(home: string, tools: string, more: Record<string, string> = {}): LabProject {
  const environment = { ...pulumiEnvironment(home), ...more };
  mkdirSync(join(home, "state"), { recursive: true, mode: 0o700 });
  const bin = placeTools(environment.PULUMI_HOME!, tools);
  // `ip netns exec` becomes the program, so that a signal to the child is one to pulumi itself.
  const inLab = (command: string, args: readonly string[]) => ["netns", "exec", namespace, command, ...args];
  const env = { ...environment, PATH: [bin, join(projectDirectory, "node_modules/.bin"), process.env.PATH].join(delimiter) };
  const start = (command: string, args: readonly string[], cwd = projectDirectory) =>
    execa("ip", inLab(command, args), { cwd, env, reject: false, all: true, stdin: "ignore" });
  return {
    environment,
    start,
    async run(command, args, cwd) {
      const { exitCode, all } = await start(command, args, cwd);
      return { exitCode: exitCode ?? 1, output: all };
    },
    async show(command, args) {
      const { exitCode } = await execa("ip", inLab(command, args), { cwd: projectDirectory, env, reject: false, stdio: "inherit" });
      return exitCode ?? 1;
    },
  };
}

/** Opens a stack, made anew when it is not there. Parameters as of `openProject`. */
export async function openStack(name: string, home: string, tools: string): Promise<LabStack> {
  const project = openProject(home, tools);
  const quiet = (args: readonly string[]) => [...args, "--stack", name, "--color", "never"];
  const stack: LabStack = {
    name,
    environment: project.environment,
    configure(config) {
      const file = join(projectDirectory, `Pulumi.${name}.yaml`);
      const salt = existsSync(file) ? /^encryptionsalt: .*$/m.exec(readFileSync(file, "utf8"))?.[0] : undefined;
      const prefixed = Object.fromEntries(Object.entries(config).map(([key, value]) => [`pulumi-kubeadm:${key}`, value]));
      writeFileSync(file, `${salt ? `${salt}\n` : ""}${stringify({ config: prefixed })}`);
    },
    run: (args, { cwd } = {}) => project.run("pulumi", quiet(args), cwd),
    show: (args) => project.show("pulumi", [...args, "--stack", name]),
    start: (args) => project.start("pulumi", quiet(args)),
    cli: (args, cwd) => project.run("node", ["cli/main.ts", ...args], cwd),
  };

  const init = await project.run("pulumi", ["stack", "select", name, "--create", "--non-interactive"]);
  if (init.exitCode !== 0) throw new Error(`pulumi stack select ${name}: ${init.output}`);
  return stack;
}

/** What a shell needs so that plain `pulumi` and `npx pulumi` mean this backend. */
export function pulumiEnvironment(home: string): Record<string, string> {
  return {
    PULUMI_HOME: join(cacheDirectory(), "pulumi-home"),
    // The npm package `pulumi` starts this version, which the lab has built, instead of downloading its own.
    PULUMI_VERSION: versions.pulumi,
    PULUMI_BACKEND_URL: `file://${join(home, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "lab",
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
}

// The npm package `pulumi` starts the CLI that lies here, and downloads it only when none does. Beside it, and only beside the file
// itself, the engine takes the language host and the provider of dynamic resources for its own without a warning.
function placeTools(pulumiHome: string, tools: string): string {
  const bin = join(pulumiHome, "versions", versions.pulumi, "bin");
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  for (const tool of ["pulumi", "pulumi-language-nodejs"]) linkSync(join(tools, tool), join(bin, tool));
  const provider = "pulumi-resource-pulumi-nodejs";
  symlinkSync(join(projectDirectory, "node_modules/@pulumi/pulumi", provider), join(bin, provider));
  return bin;
}
