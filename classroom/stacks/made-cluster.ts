import type { MadeCluster } from "../../controlplane/renew.ts";
import { resourcesIn } from "./state.ts";

/**
 * The cluster that a stack's state remembers, for making it anew on the same machines without the engine.
 *
 * @param deployment of `pulumi stack export`
 * @returns undefined when it is not made to its end, or has not one control plane: then only the engine can
 */
export function madeClusterIn(deployment: unknown): MadeCluster | undefined {
  const resources = resourcesIn(deployment);
  const outputsOf = (kind: string) => resources.filter((resource) => resource.kind === kind).map(({ outputs }) => outputs);
  const [controlPlane] = outputsOf("ControlPlane") as unknown as (MadeCluster["controlPlane"] & { caCertHash: string; leaving?: unknown[] })[];
  const [flannel] = outputsOf("Flannel") as unknown as MadeCluster["flannel"][];
  if (!controlPlane || !flannel || resources.some(({ outputs }) => outputs.status !== "ok")) return undefined;
  if (controlPlane.members.length !== 1 || (controlPlane.leaving ?? []).length > 0) return undefined;
  return { controlPlane, caCertHash: controlPlane.caCertHash, flannel, workers: outputsOf("Worker") as unknown as MadeCluster["workers"] };
}
