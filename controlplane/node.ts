import { stringify } from "yaml";
import type { Reporter } from "../machine/reporter.ts";
import type { MachineSettings } from "../kubeadm/settings.ts";
import { controlPlaneTaint } from "../kubeadm/documents.ts";
import { onControlPlane } from "./on-control-plane.ts";
import type { Member } from "./member.ts";

/** What the settings say of a node. */
type NodeSettings = Pick<MachineSettings, "name" | "labels" | "taints">;
type Taint = MachineSettings["taints"][number];
const textOf = ({ key, value, effect }: Taint) => `${key}=${value ?? ""}:${effect}`;
const identityOf = ({ key, effect }: Taint) => `${key}:${effect}`;

/** Time that pods have to leave a node before it is removed all the same. */
const drainSeconds = 180;

/**
 * Sets the labels and taints that the settings name on a node. What left the settings leaves the node; what others set stays.
 *
 * @param before the machine's settings at the last time; undefined at the first
 */
export async function labelNode(
  controlPlanes: readonly Member[],
  machine: NodeSettings,
  before: NodeSettings | undefined,
  reporter: Reporter,
): Promise<void> {
  const wanted = new Set(machine.taints.map(identityOf));
  const manifest = { apiVersion: "v1", kind: "Node", metadata: { name: machine.name, labels: machine.labels } };
  await onControlPlane(controlPlanes, "node.sh", "apply", reporter, {
    NODE_NAME: machine.name,
    NODE_MANIFEST: stringify(manifest),
    TAINTS: machine.taints.map(textOf).join("\n"),
    UNTAINTS: (before?.taints ?? [])
      .map(identityOf)
      .filter((taint) => !wanted.has(taint))
      .map((taint) => `${taint}-`)
      .join("\n"),
  });
}

/** What the cluster says of a node that is not as it should be, a sentence each. */
export async function inspectNode(controlPlanes: readonly Member[], name: string, reporter: Reporter): Promise<string[]> {
  const output = await onControlPlane(controlPlanes, "node.sh", "inspect", reporter, { NODE_NAME: name });
  return (output as { drift: string[] }).drift;
}

/** Lets the pods leave a node, with a deadline: what has not left by then is left behind. */
export async function drainNode(controlPlanes: readonly Member[], name: string, reporter: Reporter): Promise<void> {
  reporter.progress(`draining ${name}`);
  await onControlPlane(controlPlanes, "drain.sh", "apply", reporter, { NODE_NAME: name, DRAIN_SECONDS: String(drainSeconds) });
}

/** Takes back what `drainNode` did to a node that stays after all; what somebody else has cordoned stays so. */
export async function uncordonNode(controlPlanes: readonly Member[], name: string, reporter: Reporter): Promise<void> {
  await onControlPlane(controlPlanes, "drain.sh", "remove", reporter, { NODE_NAME: name });
}

/** Deletes a node from the cluster. One that is not there is deleted already. */
export async function deleteNode(controlPlanes: readonly Member[], name: string, reporter: Reporter): Promise<void> {
  await onControlPlane(controlPlanes, "node.sh", "remove", reporter, { NODE_NAME: name });
}

/** A control plane with the taint that its role asks for. One that takes pods is untainted as one that had the taint before. */
export function withRoleTaint<M extends NodeSettings>(member: M, schedulable: boolean): M {
  return schedulable ? member : { ...member, taints: [...member.taints, controlPlaneTaint] };
}
