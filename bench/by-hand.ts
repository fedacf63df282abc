import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { flannelManifest } from "../kubeadm/flannel.ts";
import { parseSettings } from "../kubeadm/settings.ts";
import * as lab from "../lab/api.ts";
import { machineNamed, network } from "../lab/machines.ts";
import { versions } from "../lab/versions.ts";

// What the kubeadm pages tell to type, on machines of the lab.

/** Seconds by phase, in the order in which they were done. */
export type Phases = Map<string, number>;

const mirror = `http://${network.address}`;
const endpoint = "kubernetes-api.internal";

const quoted = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;

/** Runs one of the hand-written scripts on a machine and takes the time of each of its phases. */
export async function byHandOn(machine: string, file: string, parameters: Record<string, string>, phases: Phases): Promise<string[]> {
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

/**
 * kubeadm init and flannel until CoreDNS answers, on a machine that is prepared.
 *
 * @returns what the script said, the join command among it
 */
export function initByHand(controlPlane: string, takesPods: boolean, phases: Phases): Promise<string[]> {
  const { flannel, network: { podSubnet } } = settingsOf(controlPlane);
  return byHandOn(
    controlPlane,
    "by-hand-init.sh",
    {
      VERSION: versions.kubernetes,
      NODE: controlPlane,
      ADDRESS: machineNamed(controlPlane).address,
      ENDPOINT: endpoint,
      WAIVERS: waivers,
      FLANNEL_MANIFEST: asFlannelPublishes(flannelManifest(flannel, podSubnet)),
      TAKES_PODS: String(takesPods),
    },
    phases,
  );
}

const waivers = "NumCPU,SystemVerification";
const settingsOf = (controlPlane: string) => parseSettings({ controlPlanes: [{ name: controlPlane, host: machineNamed(controlPlane).address }] }).settings!;

/** A whole cluster, one machine after the other. */
export async function byHand(controlPlane: string, workers: readonly string[]): Promise<Phases> {
  const phases: Phases = new Map();
  const { image, cniPluginImage } = settingsOf(controlPlane).flannel;
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
  const said = await initByHand(controlPlane, workers.length === 0, phases);
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
