import * as pulumi from "@pulumi/pulumi";
import { notKnownYet } from "../kubeadm/fields.ts";
import {
  parseSettings,
  type ClusterSettings,
  type MachineSettings,
  type SettingsInput,
} from "../kubeadm/settings.ts";
import { sizeFault } from "../quorum/sizes.ts";
import { stagesOf } from "../machine/stages/index.ts";
import { targetOf } from "../controlplane/target.ts";
import type { Member } from "../controlplane/member.ts";
import { ControlPlane } from "./control-plane.ts";
import { Flannel } from "./flannel.ts";
import { Machine } from "./machine.ts";
import { Preflight } from "./preflight.ts";
import { componentType } from "./resource.ts";
import type { Stage } from "./stage.ts";
import { Worker } from "./worker.ts";

type MachineInput = NonNullable<SettingsInput["controlPlanes"]>[number];

/** The settings of a machine whose addresses may come from machines made in the same program. */
export type ClusterMachineArgs = Omit<MachineInput, "host" | "clusterAddress" | "hostKey"> & {
  /** SSH address. */
  host: pulumi.Input<string>;
  /** IP address inside the cluster; default: the host, which must then be an IP address. */
  clusterAddress?: pulumi.Input<string>;
  /** SSH host key, `ssh-ed25519 AAAA…`, or its fingerprint, `SHA256:…`. */
  hostKey?: pulumi.Input<string>;
};

/** Arguments of a Cluster: the settings of docs/configuration.md. Names, roles and order are plain values. */
export type ClusterArgs = Omit<SettingsInput, "controlPlanes" | "workers"> & {
  controlPlanes: ClusterMachineArgs[];
  workers?: ClusterMachineArgs[];
};

const leaves = ["host", "clusterAddress", "hostKey"] as const;

/** A Kubernetes cluster made with kubeadm, containerd and flannel on machines that exist; or, with `prepareTo`, these machines prepared for one. */
export class Cluster extends pulumi.ComponentResource {
  /** Admin kubeconfig, a secret. There is none on machines that are only prepared. */
  readonly kubeconfig?: pulumi.Output<string>;
  /** `name:port` of the API as the nodes know it. */
  readonly endpoint: pulumi.Output<string>;
  /** Kubernetes patch version, as `1.37.1`. */
  readonly kubernetesVersion: pulumi.Output<string>;

  /**
   * @throws pulumi.RunError with every fault of the arguments, each with the path of the setting
   */
  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Cluster"), name, {}, opts);

    const settings = validated(name, args);
    // Of the resource's name, which no setting changes.
    const owner = `${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
    const controlPlaneMachines = settings.controlPlanes.map((machine, i) => withLeaves(machine, args.controlPlanes[i]!));
    const workerMachines = settings.workers.map((machine, i) => withLeaves(machine, args.workers![i]!));
    const resolved = pulumi.output({ ...settings, controlPlanes: controlPlaneMachines, workers: workerMachines }) as pulumi.Output<ClusterSettings>;

    const preflight = new Preflight(`${name}-preflight`, { settings: resolved, owner }, { parent: this });
    const stageSettings = pulumi
      .all([resolved, preflight.kubernetesVersion])
      .apply(([all, kubernetesVersion]) => ({ ...(all as ClusterSettings), kubernetesVersion, owner }));

    const endpoints = Promise.withResolvers<Stage[]>();
    const prepare = (machine: MachineSettings, input: pulumi.Output<MachineSettings>) =>
      new Machine(
        machine.name,
        {
          machine: input,
          settings: stageSettings,
          stages: stagesOf(settings, machine),
          leavesFirst: settings.workers.includes(machine),
          endpoints: endpoints.promise,
          target: pulumi
            .all([input, preflight.hostKeys])
            .apply(([m, hostKeys]) => targetOf(settings.ssh, m as MachineSettings, hostKeys)),
        },
        { parent: this },
      );
    const inputsOf = (machines: object[]) => machines.map((machine) => pulumi.output(machine) as pulumi.Output<MachineSettings>);
    const controlPlaneInputs = inputsOf(controlPlaneMachines);
    const workerInputs = inputsOf(workerMachines);
    const controlPlanes = settings.controlPlanes.map((machine, i) => prepare(machine, controlPlaneInputs[i]!));
    endpoints.resolve(controlPlanes.flatMap(({ endpoint }) => endpoint ?? []));
    const workers = settings.workers.map((machine, i) => prepare(machine, workerInputs[i]!));

    this.endpoint = pulumi.output(`${settings.endpoint.name}:${settings.endpoint.port}`);
    this.kubernetesVersion = preflight.kubernetesVersion;
    if (settings.prepareTo !== "cluster") {
      this.registerOutputs({ endpoint: this.endpoint, kubernetesVersion: this.kubernetesVersion });
      return;
    }

    const members = pulumi.all(
      controlPlanes.map((machine, i) => pulumi.all([machine.target, controlPlaneInputs[i]!]).apply(([target, m]) => ({ ...(m as MachineSettings), target }))),
    ) as pulumi.Output<Member[]>;
    const cluster = stageSettings.apply(({ controlPlanes: _, workers: __, ssh: ___, packages: ____, registryMirrors: _____, flannel: ______, prepareTo: _______, logins: ________, ...rest }) => rest);

    // What of it a worker joins with: what else changes is no reason to join again.
    const joined = cluster.apply(({ endpoint: { name, port }, etcd: _, ...rest }) => ({ ...rest, endpoint: { name, port } }));

    const controlPlane = new ControlPlane(
      `${name}-control-plane`,
      { cluster, members, schedulable: settings.workers.length === 0 },
      // After the last stage of every machine, workers too: so destroy resets the cluster before packages go.
      { parent: this, dependsOn: [...controlPlanes, ...workers].map((machine) => machine.ready) },
    );

    new Flannel(
      `${name}-flannel`,
      { controlPlanes: members, nodes: settings.controlPlanes.map(({ name }) => name), flannel: settings.flannel, podSubnet: settings.network.podSubnet },
      { parent: this, dependsOn: controlPlane, deletedWith: controlPlane },
    );

    workers.forEach((machine, i) => {
      new Worker(
        `${settings.workers[i]!.name}-worker`,
        {
          target: machine.target,
          machine: workerInputs[i]!.apply(({ name, clusterAddress, labels, taints }) => ({ name, clusterAddress, labels, taints })),
          cluster: joined,
          controlPlanes: members,
        },
        // Destroying the cluster resets every machine, so no worker is drained one by one on the way.
        { parent: this, dependsOn: [machine.ready, controlPlane], deletedWith: controlPlane },
      );
    });

    this.kubeconfig = controlPlane.kubeconfig;
    this.registerOutputs({ kubeconfig: this.kubeconfig, endpoint: this.endpoint, kubernetesVersion: this.kubernetesVersion });
  }
}

/** The settings with defaults, the leaves that are not known yet marked as such. */
function validated(name: string, args: ClusterArgs): ClusterSettings {
  const marked = (machines: ClusterMachineArgs[] | undefined) =>
    Array.isArray(machines)
      ? machines.map((machine) => {
          const copy: Record<string, unknown> = { ...machine };
          for (const leaf of leaves) if (pulumi.Output.isInstance(copy[leaf])) copy[leaf] = notKnownYet;
          // An address inside the cluster that is left out is the host, here as in the schema.
          if (copy.host === notKnownYet) copy.clusterAddress ??= notKnownYet;
          return copy;
        })
      : machines;
  const raw = { name, ...args, controlPlanes: marked(args.controlPlanes), ...(args.workers && { workers: marked(args.workers) }) };
  const { settings, faults } = parseSettings(raw, { controlPlaneSize: sizeFault });
  if (!settings) {
    const list = faults.map(({ path, reason }) => `  - ${path}: ${reason}`).join("\n");
    throw new pulumi.RunError(
      `The configuration has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}; nothing was touched:\n${list}\n` +
        `Next: correct Pulumi.${pulumi.getStack()}.yaml (docs/configuration.md lists every setting) and run \`pulumi up\` again.`,
    );
  }
  return settings;
}

/** The settings of a machine with its Outputs back in their places. */
function withLeaves(machine: MachineSettings, args: ClusterMachineArgs): object {
  const outputs = Object.fromEntries(leaves.filter((leaf) => pulumi.Output.isInstance(args[leaf])).map((leaf) => [leaf, args[leaf]]));
  return { ...machine, ...(outputs.host && !args.clusterAddress ? { clusterAddress: outputs.host } : {}), ...outputs };
}
