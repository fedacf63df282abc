import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Command } from "commander";
import { z } from "zod";
import type { Member } from "../controlplane/member.ts";
import type { SharedSettings } from "../controlplane/reconcile.ts";
import type { SshTarget } from "../machine/target.ts";

/** Which cluster of which stack a command is about. */
export interface ClusterChoice {
  /** Default: the stack that is selected. */
  readonly stack?: string;
  /** Name of the cluster; needed only where a stack has several. */
  readonly cluster?: string;
}

/** A cluster as the state of its stack remembers it. No secret is in it: keys and passwords are paths and names of variables. */
export interface StackCluster {
  readonly cluster: SharedSettings;
  readonly members: readonly Member[];
  /** Control planes that left the settings and may still be members. */
  readonly leaving: readonly Member[];
  /** Undefined until the first control plane was finished. */
  readonly caCertHash?: string;
  /** Names of the workers. */
  readonly workers: readonly string[];
}

const deploymentSchema = z.object({
  deployment: z.object({
    resources: z
      .array(z.object({ type: z.string(), delete: z.boolean().optional(), outputs: z.record(z.string(), z.unknown()).default({}) }))
      .default([]),
  }),
});

/** How components/resource.ts names the kinds of resources in the state. */
const kindPrefix = "pulumi-nodejs:dynamic/kubeadm:";

/** The options with which every command is told its cluster. */
export function withClusterOptions(command: Command): Command {
  return command
    .option("--stack <name>", "the stack; the selected one when left out")
    .option("--cluster <name>", "the cluster, where the stack has several");
}

/**
 * Reads a cluster from its stack, by the Pulumi CLI and without the passphrase.
 *
 * @throws Error when the CLI cannot tell the stack, or the stack has no such cluster, or several
 */
export async function readCluster(choice: ClusterChoice): Promise<StackCluster> {
  return clusterOf(await exportStack(choice.stack), choice);
}

/** A machine as the stack's state remembers it. */
export interface StackMachine {
  readonly target: SshTarget;
  /** `project/stack/cluster`. */
  readonly owner: string;
}

/**
 * Reads from its stack how a machine is reached.
 *
 * @throws Error when the CLI cannot tell the stack, or the stack has no such machine
 */
export async function readMachine(name: string, stack: string | undefined): Promise<StackMachine> {
  return machineOf(await exportStack(stack), name);
}

/** Finds the machine in what `pulumi stack export` printed. @throws Error when there is no such machine */
export function machineOf(exported: unknown, name: string): StackMachine {
  const claims = outputsIn(exported, "Stage").filter(({ stage }) => stage === "claim") as unknown as { target: SshTarget; parameters: { owner: string } }[];
  const found = claims.find(({ target }) => target.name === name);
  if (!found) throw new Error(`The stack has no machine ${name}${claims.length > 0 ? `: its machines are ${claims.map(({ target }) => target.name).join(", ")}` : ""}. Next: name another stack with --stack.`);
  return { target: found.target, owner: found.parameters.owner };
}

/** Outputs of all resources of a kind, without those that are about to be deleted. */
function outputsIn(exported: unknown, kind: string): Record<string, unknown>[] {
  const { resources } = deploymentSchema.parse(exported).deployment;
  return resources.filter(({ type, delete: replaced }) => type === kindPrefix + kind && !replaced).map(({ outputs }) => outputs);
}

async function exportStack(stack: string | undefined): Promise<unknown> {
  const args = ["stack", "export", "--non-interactive", ...(stack === undefined ? [] : ["--stack", stack])];
  try {
    const { stdout } = await promisify(execFile)("pulumi", args, { maxBuffer: 1 << 30 });
    return JSON.parse(stdout);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") throw new Error("The Pulumi CLI is not in the PATH. Next: run this as `npx pulumi-kubeadm` in the project's directory, after `npm ci`.");
    throw new Error(
      `The stack's state cannot be read: ${stderr?.trim() || (error as Error).message}\n` +
        "Next: run this in the project's directory, logged in to the stack's backend (`npx pulumi stack ls` shows the stacks), or name the stack with --stack.",
    );
  }
}

/**
 * Finds the cluster in what `pulumi stack export` printed.
 *
 * @throws Error when there is no such cluster, or several
 */
export function clusterOf(exported: unknown, { cluster: wanted }: ClusterChoice): StackCluster {
  const outputsOf = (kind: string) => outputsIn(exported, kind);
  const all = outputsOf("ControlPlane").map(controlPlaneOf);
  const found = all.filter(({ cluster }) => wanted === undefined || cluster.name === wanted);
  const [only] = found;
  if (!only) {
    throw new Error(
      all.length === 0
        ? "The stack has no control plane. Next: name another stack with --stack, or run `pulumi up` (with `prepareTo: cluster`, where machines are only prepared)."
        : `The stack has no cluster ${wanted}: its clusters are ${all.map(({ cluster }) => cluster.name).join(", ")}.`,
    );
  }
  if (found.length > 1) throw new Error(`The stack has several clusters: ${found.map(({ cluster }) => cluster.name).join(", ")}. Next: name one with --cluster.`);
  const workers = outputsOf("Worker") as unknown as { machine: { name: string }; cluster: { owner: string } }[];
  return { ...only, leaving: [...only.leaving, ...formersOf(outputsOf("Preflight"), only.cluster.owner)], workers: workers.filter(({ cluster }) => cluster.owner === only.cluster.owner).map(({ machine }) => machine.name) };
}

/** Machines that a run which was killed has not taken out yet, as Preflight remembers them. */
function formersOf(preflights: readonly Record<string, unknown>[], owner: string): StackCluster["leaving"] {
  const preflight = preflights.find((outputs) => outputs.owner === owner);
  return (preflight?.formerControlPlanes ?? []) as StackCluster["leaving"];
}

function controlPlaneOf(outputs: Record<string, unknown>): Omit<StackCluster, "workers"> {
  // What a program computes from secrets is a secret too, and stands encrypted in the state.
  if (!Array.isArray(outputs.members) || typeof (outputs.cluster as SharedSettings | undefined)?.name !== "string") {
    throw new Error("The control plane's machines cannot be read from the stack's state: are they secrets? Next: pass addresses and names to the Cluster with pulumi.unsecret.");
  }
  const { cluster, members, leaving, caCertHash } = outputs as unknown as Omit<StackCluster, "workers">;
  return { cluster, members, leaving: leaving ?? [], caCertHash };
}
