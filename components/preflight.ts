import type * as pulumi from "@pulumi/pulumi";
import { parseSettings, type ClusterSettings } from "../kubeadm/settings.ts";
import { runPreflight } from "../controlplane/preflight.ts";
import { refusedMachines, refusedSettings, type FixedParts } from "../controlplane/refused-changes.ts";
import { hasUnknown, type CheckFailure, type Lifecycle } from "./lifecycle.ts";
import { KubeadmResource } from "./resource.ts";

/** What Preflight is given. */
export interface PreflightInputs {
  readonly settings: ClusterSettings;
  /** `project/stack/cluster`: whose machines these are, or will be. */
  readonly owner: string;
  /** SSH host key of each machine, `ssh-ed25519 AAAA…`, learned at first contact and held against it ever after. */
  readonly hostKeys?: Record<string, string>;
  /** The patch version that a minor in the settings was resolved to when the cluster was made. */
  readonly kubernetesVersion?: string;
}

/**
 * The gate in front of everything: all machines are inspected at once and no machine is touched while any of them has a fault.
 * It is the only resource whose check connects, because the engine calls checks one after the other and stops at the first that fails.
 */
export class Preflight extends KubeadmResource {
  /** SSH host key of each machine by name. */
  declare readonly hostKeys: pulumi.Output<Record<string, string>>;
  /** Kubernetes patch version of the cluster, as `1.37.1`. */
  declare readonly kubernetesVersion: pulumi.Output<string>;

  constructor(
    name: string,
    args: { settings: pulumi.Input<ClusterSettings>; owner: string },
    opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
  ) {
    super("Preflight", name, { ...args, hostKeys: undefined, kubernetesVersion: undefined }, opts);
  }
}

/**
 * Machines that stay under another name. The engine would make the new resources before it deletes the old ones, on one machine:
 * what the deletes undo would be the new node.
 */
function renamedMachines(olds: Partial<PreflightInputs>, settings: ClusterSettings, hostKeys: Record<string, string>): string[] {
  const names = new Set([...settings.controlPlanes, ...settings.workers].map(({ name }) => name));
  return [...(olds.settings?.controlPlanes ?? []), ...(olds.settings?.workers ?? [])].flatMap(({ name }) => {
    const key = olds.hostKeys?.[name];
    const now = [...names].find((other) => key !== undefined && hostKeys[other] === key);
    if (names.has(name) || now === undefined) return [];
    return [`${now}: this machine is the node ${name}, and a node cannot be renamed. Next: take ${name} out and run \`pulumi up\`; then add ${now} and run it again.`];
  });
}

function fixedParts(settings: ClusterSettings, hostKeys: Record<string, string> = {}): FixedParts {
  return {
    cluster: settings,
    members: settings.controlPlanes.map(({ name, clusterAddress }) => ({ name, clusterAddress, hostKey: hostKeys[name] })),
  };
}

export const preflightLifecycle: Lifecycle<PreflightInputs> = {
  async check(olds, news, reporter) {
    // Kept from the state: neither a host key nor the version of a running cluster follows the world by itself.
    const known = { hostKeys: olds.hostKeys, kubernetesVersion: olds.kubernetesVersion };
    const fail = (failures: CheckFailure[]) => ({ inputs: { ...news, ...known }, failures });

    const { settings, faults } = parseSettings(news.settings);
    if (!settings) return fail(faults.map(({ path, reason }) => ({ property: "", reason: `${path}: ${reason}` })));

    const located = (machine: { host: string; clusterAddress: string }) => !hasUnknown([machine.host, machine.clusterAddress]);
    const result = await runPreflight(
      {
        ...settings,
        controlPlanes: settings.controlPlanes.filter(located),
        workers: settings.workers.filter(located),
      },
      { owner: news.owner, ...known },
      reporter,
    );
    const old = olds.settings && fixedParts(olds.settings, olds.hostKeys);
    const wanted = fixedParts(settings, result.hostKeys);
    // Before the first cluster is made every setting may still be put right; whose data a machine holds is asked all the same.
    const refused = old && !hasUnknown(wanted) ? [
      ...renamedMachines(olds, settings, result.hostKeys),
      ...(result.running ? refusedSettings(old, wanted) : []), ...refusedMachines(old, wanted),
    ] : [];
    return {
      inputs: { ...news, hostKeys: result.hostKeys, kubernetesVersion: result.kubernetesVersion ?? known.kubernetesVersion },
      // What is refused may be why the machines seem to have faults, so it stands first.
      failures: [...refused, ...result.faults].map((reason) => ({ property: "", reason })),
    };
  },
  // The engine calls check once more when every address is known, right before create or update, so the work is done by then.
  create: async () => ({}),
  update: async () => ({}),
  remove: async () => {},
};
