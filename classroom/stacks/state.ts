import { z } from "zod";

const exportedSchema = z.object({
  resources: z
    .array(z.object({ urn: z.string(), type: z.string(), outputs: z.record(z.string(), z.unknown()).default({}) }))
    .default([]),
  pending_operations: z.array(z.unknown()).nullish(),
});

/** How components/resource.ts names the kinds of resources in the state. */
const kindPrefix = "pulumi-nodejs:dynamic/kubeadm:";

/** A resource of the kit in a stack's state. */
export interface StackResource {
  readonly urn: string;
  /** `Stage`, `ControlPlane`, `Flannel`, `Worker` … */
  readonly kind: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The kit's resources in what `pulumi stack export` gives of a deployment. */
export function resourcesIn(deployment: unknown): StackResource[] {
  return exportedSchema
    .parse(deployment ?? {})
    .resources.filter(({ type }) => type.startsWith(kindPrefix))
    .map(({ urn, type, outputs }) => ({ urn, kind: type.slice(kindPrefix.length), outputs }));
}

/** Whether a run of the engine was killed and has left steps of which it does not know how they ended. */
export const hasPending = (deployment: unknown): boolean => (exportedSchema.parse(deployment ?? {}).pending_operations ?? []).length > 0;
