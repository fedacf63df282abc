import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
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
      FLANNEL_MANIFEST: asFlannelPublishes(flannelManifest(settings.flannel, settings.network.podSubnet)),
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

/**
 * The kit's manifest as flannel's own has it, which whoever types takes: its pods do not wait for kube-proxy, and the node is taken for
 * ready before flanneld has begun.
 */
function asFlannelPublishes(manifest: string): string {
  const objects = parseAllDocuments(manifest).map((document) => document.toJS());
  const { initContainers, containers } = objects.find(({ kind }) => kind === "DaemonSet").spec.template.spec;
  const [daemon] = containers;
  initContainers[0] = {
    name: "install-cni",
    image: daemon.image,
    command: daemon.lifecycle.postStart.exec.command.at(-1).split("exec ")[1].split(" "),
    volumeMounts: daemon.volumeMounts,
  };
  initContainers.reverse();
  delete daemon.lifecycle;
  return objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n");
}

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
