import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lab from "../lab/api.ts";
import { clusterConfig } from "../lab/cluster.ts";
import { machineNamed } from "../lab/machines.ts";
import { openStack, projectDirectory } from "../lab/pulumi.ts";
import { prepareSite, serveSite, type Site } from "../lab/site.ts";
import { byHand, type Phases } from "./by-hand.ts";

// The hand-written way and `pulumi up`, one after the other on equally fresh machines of the lab, in one run: so that the ratio says
// something even where the computer is noisy.

/** Seconds that the machine itself worked on each of its jobs, as its logs tell. */
async function workOn(machine: string): Promise<Phases> {
  const { stdout } = await lab.ssh(machineNamed(machine), "sudo bash -c 'grep -h ^--- /var/log/pulumi-kubeadm/*.log'", {});
  const jobs = String(stdout).matchAll(/^--- \S+ (\S+) apply for .* after ([\d.]+) s$/gm);
  return new Map([...jobs].map(([, stage, seconds]) => [`${machine}-${stage}`, Number(seconds)]));
}

interface Kit {
  readonly phases: Phases;
  /** Of each stage's time, what was not work on the machine: connecting, sending the script, waiting for the answer. */
  readonly around: Phases;
}

async function withPulumi(controlPlane: string, workers: readonly string[], site: Site): Promise<Kit> {
  const home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-bench-"));
  try {
    const stack = await openStack("bench", home, site.tools);
    stack.configure(clusterConfig({ controlPlanes: [controlPlane], workers }, site.www));
    const { exitCode, output } = await stack.run(["up", "--yes", "--skip-preview", "--non-interactive"]);
    if (exitCode !== 0) throw new Error(output);
    // The engine tells how long each resource took: `created (25s)`, `created (1m4s)`.
    const rows = output.matchAll(/dynamic\/kubeadm:\w+ (\S+) created \((?:(\d+)m)?([\d.]+)s\)/g);
    const phases = new Map([...rows].map(([, name, minutes, seconds]) => [name!, Number(minutes ?? 0) * 60 + Number(seconds)]));
    const worked = (await Promise.all([controlPlane, ...workers].map(workOn))).flatMap((jobs) => [...jobs]);
    return { phases, around: new Map(worked.filter(([name]) => phases.has(name)).map(([name, seconds]) => [name, phases.get(name)! - seconds])) };
  } finally {
    rmSync(home, { recursive: true, force: true });
    rmSync(join(projectDirectory, "Pulumi.bench.yaml"), { force: true });
  }
}

/** Fresh machines, then the work, with its time in seconds; the machines' start is not counted. */
async function measured<T>(machines: readonly string[], work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  await Promise.all(machines.map((machine) => lab.reset(machine)));
  const start = Date.now();
  const result = await work();
  return { seconds: (Date.now() - start) / 1000, result };
}

function report(title: string, seconds: number, phases: Phases): void {
  console.log(`\n${title}: ${seconds.toFixed(0)} s`);
  for (const [phase, took] of phases) console.log(`  ${phase.padEnd(28)} ${took.toFixed(1).padStart(6)} s`);
}

const sum = (phases: Phases): number => [...phases.values()].reduce((total, seconds) => total + seconds, 0);

const site = await prepareSite();
await serveSite(site);
try {
  for (const [controlPlane, workers] of [["cp1", []], ["cp1", ["w1"]]] as const) {
    const machines = [controlPlane, ...workers];
    const hand = await measured(machines, () => byHand(controlPlane, workers));
    report(`${machines.length} machine(s), by hand`, hand.seconds, hand.result);
    const kit = await measured(machines, () => withPulumi(controlPlane, workers, site));
    const { phases, around } = kit.result;
    report(`${machines.length} machine(s), pulumi up`, kit.seconds, phases);
    report("of that not work on the machine: SSH and waiting", sum(around), around);
    // The resources of the first machine, and what comes after them, stand one behind the other; the rest of the time is the engine's.
    const chain = sum(new Map([...phases].filter(([name]) => !workers.some((worker) => name.startsWith(`${worker}-`)))));
    console.log(`\nengine, program and preflight, before and between the resources: ${Math.max(0, kit.seconds - chain).toFixed(0)} s`);
    console.log(`\n${machines.length} machine(s): pulumi up / by hand = ${(kit.seconds / hand.seconds).toFixed(2)}`);
  }
} finally {
  await lab.down();
}
