import type { MadeCluster } from "../../controlplane/renew.ts";
import { hasPending, resourcesIn } from "./state.ts";

/** What the engine remembers of a stack's cluster. */
export interface RememberedCluster {
  /** Whether there is one, finished or not. */
  readonly exists: boolean;
  /** What it takes to make it anew without the engine; undefined when it is not made to its end, or has not one control plane. */
  readonly made?: MadeCluster;
}

/** Finds the cluster in what `pulumi stack export` gives of a deployment. */
export function clusterIn(deployment: unknown): RememberedCluster {
  const resources = resourcesIn(deployment);
  const outputsOf = (kind: string) => resources.filter((resource) => resource.kind === kind).map(({ outputs }) => outputs);
  const [controlPlane] = outputsOf("ControlPlane") as unknown as (MadeCluster["controlPlane"] & { caCertHash: string; leaving?: unknown[] })[];
  const [flannel] = outputsOf("Flannel") as unknown as MadeCluster["flannel"][];
  const exists = controlPlane !== undefined;
  if (!controlPlane || !flannel || hasPending(deployment) || resources.some(({ outputs }) => outputs.status !== "ok")) return { exists };
  if (controlPlane.members.length !== 1 || (controlPlane.leaving ?? []).length > 0) return { exists };
  return { exists, made: { controlPlane, caCertHash: controlPlane.caCertHash, flannel, workers: outputsOf("Worker") as unknown as MadeCluster["workers"] } };
}
