import { flannelManifest } from "../kubeadm/flannel.ts";
import type { ClusterSettings } from "../kubeadm/settings.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";
import { onControlPlane } from "./on-control-plane.ts";

/** What the pod network is given. */
export interface FlannelInputs {
  readonly controlPlanes: Member[];
  /** Names of their nodes: one more is waited for, too. */
  readonly nodes: readonly string[];
  readonly flannel: ClusterSettings["flannel"];
  readonly podSubnet: string;
}

const deadlineSeconds = 900;

function environmentOf({ nodes, flannel, podSubnet }: FlannelInputs): Record<string, string> {
  return {
    FLANNEL_MANIFEST: flannelManifest(flannel, podSubnet),
    NODES: nodes.join(" "),
  };
}

/** Applies flannel server-side from a control plane, and waits until the control planes are Ready and CoreDNS answers. */
export async function applyFlannel(inputs: FlannelInputs, holder: string, reporter: Reporter): Promise<void> {
  await runJob({
    target: inputs.controlPlanes[0]!.target,
    stage: "flannel",
    verb: "apply",
    script: renderScript("flannel.sh"),
    environment: environmentOf(inputs),
    deadlineSeconds,
    reporter,
    holder,
  });
}

/** What differs from the manifest in the cluster, a sentence each. */
export async function inspectFlannel(inputs: FlannelInputs, reporter: Reporter): Promise<string[]> {
  const document = await onControlPlane(inputs.controlPlanes, "flannel.sh", "inspect", reporter, environmentOf(inputs));
  return (document as { drift: string[] }).drift;
}
