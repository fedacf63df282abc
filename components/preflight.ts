import type * as pulumi from "@pulumi/pulumi";
import { parseSettings, type ClusterSettings } from "../kubeadm/settings.ts";
import { membersOf } from "../controlplane/former-members.ts";
import type { Member } from "../controlplane/member.ts";
import { planControlPlane, type ControlPlanePlan } from "../controlplane/plan.ts";
import { runPreflight } from "../controlplane/preflight.ts";
import { loweredPreparation, promotedWorkers, refusedSettings, renamedMachines, type Dated } from "../controlplane/refused-changes.ts";
import { MachineError } from "../machine/errors.ts";
import type { Reporter } from "../machine/reporter.ts";
import { hasUnknown, type CheckFailure, type Lifecycle } from "./lifecycle.ts";
import { KubeadmResource } from "./resource.ts";
import { noteResetting, remember } from "./run.ts";

/** What Preflight is given. */
export interface PreflightInputs {
  readonly settings: ClusterSettings;
  /** `project/stack/cluster`: whose machines these are, or will be. */
  readonly owner: string;
  /** SSH host key of each machine, `ssh-ed25519 AAAA…`, learned at first contact and held against it ever after. */
  readonly hostKeys?: Record<string, string>;
  /** The patch version that a minor in the settings was resolved to when the cluster was made. */
  readonly kubernetesVersion?: string;
  /** Control planes that the settings name no more and that may still be members. */
  readonly formerControlPlanes?: Member[];
}

/**
 * The gate in front of everything: all machines are inspected at once and no machine is touched while any of them has a fault, or
 * while a change to the control plane cannot be made without losing etcd's quorum. What will be done to the control plane is shown.
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
    super("Preflight", name, { ...args, hostKeys: undefined, kubernetesVersion: undefined, formerControlPlanes: undefined }, opts);
  }
}

/**
 * What would be done to the control plane. Where machines have faults it may be impossible to tell, and the faults stop everything
 * anyway.
 */
async function plan(
  old: Dated | undefined,
  news: Dated & { readonly owner: string },
  formers: readonly Member[],
  faulty: boolean,
  reporter: Reporter,
): Promise<ControlPlanePlan | undefined> {
  const members = membersOf(news.settings, news.hostKeys);
  const earlier = [...(old ? membersOf(old.settings, old.hostKeys) : []), ...formers];
  try {
    return await planControlPlane(news.settings, news.owner, members, earlier, reporter);
  } catch (error) {
    if (faulty && error instanceof MachineError) return undefined;
    throw error;
  }
}

export const preflightLifecycle: Lifecycle<PreflightInputs> = {
  notes: ["formerControlPlanes"],
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
    const wanted = { settings, hostKeys: result.hostKeys };
    const old = olds.settings && { settings: olds.settings, hostKeys: olds.hostKeys ?? {} };
    const { byHand, resetting, running } = result;
    const allLocated = [...settings.controlPlanes, ...settings.workers].every(located);
    // Machines that are only prepared get no control plane; one that somebody made by hand is told as a fault of its machine.
    const planned = allLocated && settings.prepareTo === "cluster" && Object.keys(byHand).length === 0
      ? await plan(old, { ...wanted, owner: news.owner }, olds.formerControlPlanes ?? [], result.faults.length > 0, reporter)
      : undefined;
    if (planned && planned.lines.length > 0) reporter.info(planned.lines.join("\n"));
    noteResetting(resetting.flatMap((name) => result.hostKeys[name] ?? []));
    const { controlPlanes } = settings;
    if (controlPlanes.every(located)) {
      const members = membersOf(settings, result.hostKeys);
      remember(news.owner, { members, formers: planned?.formers ?? [], due: (planned?.lines.length ?? 0) > 0 });
    }
    return {
      inputs: {
        ...news,
        hostKeys: result.hostKeys,
        kubernetesVersion: result.kubernetesVersion ?? known.kubernetesVersion,
        formerControlPlanes: planned && planned.formers.length > 0 ? [...planned.formers] : undefined,
      },
      // What is refused may be why the machines seem to have faults, so it stands first.
      failures: [
        ...(old ? loweredPreparation(old, wanted, running, byHand) : []),
        ...(old && allLocated ? [...renamedMachines(old, wanted), ...promotedWorkers(old, wanted)] : []),
        // Before the first cluster is made every setting may still be put right.
        ...(old && planned && (running || planned.running) ? refusedSettings(old, wanted) : []),
        ...(planned?.refused ?? []),
        ...result.faults,
      ].map((reason) => ({ property: "", reason })),
    };
  },
  // The engine calls check once more when every address is known, right before create or update, so the work is done by then.
  create: async () => ({}),
  update: async () => ({}),
  remove: async () => {},
};
