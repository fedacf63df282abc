import { reaches, type ClusterSettings, type MachineSettings } from "../../kubeadm/settings.ts";
import { claim } from "./claim.ts";
import { containerRuntime } from "./container-runtime.ts";
import { endpoint } from "./endpoint.ts";
import { kernel } from "./kernel.ts";
import { kubernetesPackages } from "./kubernetes-packages.ts";
import { logins } from "./logins.ts";
import { names } from "./names.ts";
import type { Stage } from "./stage.ts";

export type { Stage, StageSettings } from "./stage.ts";

/** All stages, in the order in which they are applied to a machine. They are removed in the opposite order. */
export const stages: readonly Stage[] = [claim, logins, kernel, containerRuntime, kubernetesPackages, endpoint, names];

/** Those of them that are for this machine, in their order. */
export const stagesOf = (cluster: ClusterSettings, machine: MachineSettings): readonly Stage[] =>
  stages.filter(({ from = "bare", appliesTo }) => reaches(cluster.prepareTo, from) && (appliesTo?.(cluster, machine) ?? true));

/**
 * The stage of that name.
 *
 * @throws Error when there is none, as with a state that a newer version of the kit wrote
 */
export function stageNamed(name: string): Stage {
  const stage = stages.find((candidate) => candidate.name === name);
  if (!stage) throw new Error(`there is no stage "${name}" in this version; there are ${stages.map((known) => known.name).join(", ")}`);
  return stage;
}
