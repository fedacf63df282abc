/** What is seen of one configured control-plane machine. */
export interface MemberState {
  readonly name: string;
  /** `none`: no control plane; `unfinished`: an init or join of ours that did not end; `foreign`: one that is not ours; else the cluster. */
  readonly controlPlane: "none" | "unfinished" | "foreign" | { readonly caCertHash: string; readonly ready: boolean };
}

/** What to do next to the control plane. */
export type Step =
  | { readonly kind: "nothing" }
  /** Start the first member, or bring the one that there is to readiness. */
  | { readonly kind: "start"; readonly member: string; readonly reason: string }
  | { readonly kind: "refuse"; readonly reason: string; readonly next: string };

/**
 * The next allowed step towards a control plane in which every wanted member is ready. Pure: the caller does the step, looks at
 * the machines again, and asks again, until there is nothing to do.
 *
 * @param members every configured control-plane machine, in the order of the settings
 * @param knownCaCertHash the cluster that the state remembers; undefined before the first one
 */
export function nextStep(members: readonly MemberState[], knownCaCertHash: string | undefined): Step {
  const strange = members.find(({ controlPlane }) => controlPlane === "foreign");
  if (strange) {
    return {
      kind: "refuse",
      reason: `${strange.name} holds a control plane that this kit did not make, or has lost its own mark of it`,
      next: `keep it, and take ${strange.name} out of the settings; or run \`kubeadm reset\` on it, which destroys that cluster's data`,
    };
  }
  const clusters = new Map<string, string>();
  for (const { name, controlPlane } of members) {
    if (typeof controlPlane === "object") clusters.set(controlPlane.caCertHash, name);
  }
  const foreign = [...clusters].filter(([hash]) => knownCaCertHash !== undefined && hash !== knownCaCertHash);
  if (clusters.size > 1 || foreign.length > 0) {
    const [, name] = foreign[0] ?? [...clusters][0]!;
    return {
      kind: "refuse",
      reason: `${name} runs the control plane of another cluster (its CA is not the one that this stack knows)`,
      next: `take ${name} out of the settings, or run \`kubeadm reset\` on it if that cluster is not wanted any more`,
    };
  }
  const started = members.find(({ controlPlane }) => typeof controlPlane === "object");
  if (!started && knownCaCertHash !== undefined) {
    return {
      kind: "refuse",
      reason: "the cluster that this stack knows is gone from every control-plane machine, and its data with it",
      next: "run `pulumi destroy`, and `pulumi up` for a new cluster",
    };
  }
  if (!started) return { kind: "start", member: members[0]!.name, reason: "no configured machine runs a control plane" };
  if (typeof started.controlPlane === "object" && !started.controlPlane.ready) {
    return { kind: "start", member: started.name, reason: `the apiserver on ${started.name} is not ready` };
  }
  return { kind: "nothing" };
}
