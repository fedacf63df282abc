import { z } from "zod";

/** How far a student's stack is. */
export type StackState =
  /** Nothing of it is remembered. */
  | "none"
  /** Something is there, and not all of it is finished. */
  | "partial"
  /** The whole cluster is made, or the machines are prepared as far as the class wants them. */
  | "ready";

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

/** What a stack is to have in the end. */
export interface Whole {
  /** Stages on all machines. */
  readonly stages: number;
  /** Clusters: none where machines are only prepared. */
  readonly clusters: 0 | 1;
  readonly workers: number;
}

/** @param whole what there is when nothing is missing */
export function stateOf(deployment: unknown, { stages, clusters, workers }: Whole): StackState {
  const resources = resourcesIn(deployment);
  if (resources.length === 0) return "none";
  const finished = (kind: string) => resources.filter((resource) => resource.kind === kind && resource.outputs.status === "ok").length;
  const whole = finished("Stage") === stages && finished("ControlPlane") === clusters && finished("Flannel") === clusters && finished("Worker") === workers && resources.every(({ outputs }) => outputs.status === "ok");
  return whole && !hasPending(deployment) ? "ready" : "partial";
}
