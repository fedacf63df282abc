import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flannelManifest } from "../kubeadm/flannel.ts";
import { parseSettings } from "../kubeadm/settings.ts";
import * as lab from "../lab/api.ts";
import { clusterConfig } from "../lab/cluster.ts";
import { machineNamed, network } from "../lab/machines.ts";
import { openStack, projectDirectory } from "../lab/pulumi.ts";
import { prepareSite, serveSite, type Site } from "../lab/site.ts";
import { versions } from "../lab/versions.ts";

// The hand-written way and `pulumi up`, one after the other on equally fresh machines of the lab, in one run: so that the ratio says
// something even where the computer is noisy.

/** Seconds by phase, in the order in which they were done. */
type Phases = Map<string, number>;

const mirror = `http://${network.address}`;
const endpoint = "kubernetes-api.internal";

const quoted = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;

/** Runs one of the hand-written scripts on a machine and takes the time of each of its phases. */
async function byHandOn(machine: string, file: string, parameters: Record<string, string>, phases: Phases): Promise<string[]> {
  const environment = Object.entries(parameters).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  const input = environment.join("") + readFileSync(join(import.meta.dirname, file), "utf8");
  const child = lab.ssh(machineNamed(machine), "sudo bash -s", { reject: false, input, all: true, lines: true });
  let phase: string | undefined;
  let since = Date.now();
  const lines: string[] = [];
  for await (const line of child.iterable({ from: "all" })) {
    lines.push(line);
    if (!line.startsWith("phase ")) continue;
    if (phase) phases.set(`${machine} ${phase}`, (Date.now() - since) / 1000);
    [phase, since] = [line.slice("phase ".length), Date.now()];
  }
  const { exitCode } = await child;
  if (exitCode !== 0) throw new Error(`${file} on ${machine}:\n${lines.slice(-20).join("\n")}`);
  return lines;
}

async function byHand(controlPlane: string, workers: readonly string[]): Promise<Phases> {
  const phases: Phases = new Map();
  const settings = parseSettings({ controlPlanes: [{ name: controlPlane, host: machineNamed(controlPlane).address }] }).settings!;
  const { image, cniPluginImage } = settings.flannel;
  const waivers = "NumCPU,SystemVerification";
  const prepare = (machine: string) =>
    byHandOn(
      machine,
      "by-hand-machine.sh",
      {
        VERSION: versions.kubernetes,
        KUBERNETES_REPOSITORY: `${mirror}/kubernetes/core:/stable:/v${versions.kubernetes.split(".").slice(0, 2).join(".")}/deb`,
        CONTAINERD_REPOSITORY: `${mirror}/docker/debian`,
        CODENAME: versions.debian,
        REGISTRY: `http://${network.address}:5000`,
        PAUSE: `registry.k8s.io/pause:${versions.pause}`,
        FLANNEL_IMAGES: `${image} ${cniPluginImage}`,
        ENDPOINT: endpoint,
        ENDPOINT_ADDRESS: machineNamed(controlPlane).address,
        CONTROL_PLANE: String(machine === controlPlane),
      },
      phases,
    );
  await prepare(controlPlane);
  const said = await byHandOn(
    controlPlane,
    "by-hand-init.sh",
    {
      VERSION: versions.kubernetes,
      NODE: controlPlane,
      ADDRESS: machineNamed(controlPlane).address,
      ENDPOINT: endpoint,
      WAIVERS: waivers,
      FLANNEL_MANIFEST: flannelManifest(settings.flannel, settings.network.podSubnet),
      TAKES_PODS: String(workers.length === 0),
    },
    phases,
  );
  const joinCommand = said.find((line) => line.startsWith("join "))!.slice("join ".length);
  for (const worker of workers) {
    await prepare(worker);
    await byHandOn(worker, "by-hand-join.sh", { NODE: worker, JOIN: joinCommand, WAIVERS: waivers }, phases);
  }
  return phases;
}

async function withPulumi(controlPlane: string, workers: readonly string[], site: Site): Promise<Phases> {
  const home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-bench-"));
  try {
    const stack = await openStack("bench", home, site.tools);
    stack.configure(clusterConfig({ controlPlanes: [controlPlane], workers }, site.www));
    const { exitCode, output } = await stack.run(["up", "--yes", "--skip-preview", "--non-interactive"]);
    if (exitCode !== 0) throw new Error(output);
    // The engine tells how long each resource took: `created (25s)`, `created (1m4s)`.
    const rows = output.matchAll(/dynamic\/kubeadm:\w+ (\S+) created \((?:(\d+)m)?([\d.]+)s\)/g);
    return new Map([...rows].map(([, name, minutes, seconds]) => [name!, Number(minutes ?? 0) * 60 + Number(seconds)]));
  } finally {
    rmSync(home, { recursive: true, force: true });
    rmSync(join(projectDirectory, "Pulumi.bench.yaml"), { force: true });
  }
}

/** Fresh machines, then the work, with its time in seconds; the machines' start is not counted. */
async function measured(machines: readonly string[], work: () => Promise<Phases>): Promise<{ seconds: number; phases: Phases }> {
  await Promise.all(machines.map((machine) => lab.reset(machine)));
  const start = Date.now();
  const phases = await work();
  return { seconds: (Date.now() - start) / 1000, phases };
}

function report(title: string, { seconds, phases }: { seconds: number; phases: Phases }): void {
  console.log(`\n${title}: ${seconds.toFixed(0)} s`);
  for (const [phase, took] of phases) console.log(`  ${phase.padEnd(28)} ${took.toFixed(0).padStart(4)} s`);
}

const site = await prepareSite();
await serveSite(site);
try {
  for (const [controlPlane, workers] of [["cp1", []], ["cp1", ["w1"]]] as const) {
    const machines = [controlPlane, ...workers];
    const hand = await measured(machines, () => byHand(controlPlane, workers));
    report(`${machines.length} machine(s), by hand`, hand);
    const kit = await measured(machines, () => withPulumi(controlPlane, workers, site));
    report(`${machines.length} machine(s), pulumi up`, kit);
    console.log(`\n${machines.length} machine(s): pulumi up / by hand = ${(kit.seconds / hand.seconds).toFixed(2)}`);
  }
} finally {
  await lab.down();
}
