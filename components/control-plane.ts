import type * as pulumi from "@pulumi/pulumi";
import {
  inspectControlPlane,
  reconcile,
  resetControlPlane,
  type ControlPlaneInputs,
} from "../controlplane/reconcile.ts";
import type { Member } from "../controlplane/member.ts";
import { anotherMachine, holderOf } from "./identity.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { KubeadmResource } from "./resource.ts";

/**
 * The control plane as ONE resource that reconciles: it looks at the members, takes the next allowed step, and looks again, until
 * the wanted members are healthy. Create, update and repair are the same loop, and no input ever replaces it.
 */
export class ControlPlane extends KubeadmResource {
  /** The admin kubeconfig, a secret. Its server is an address, with the endpoint's name to verify the certificate against. */
  declare readonly kubeconfig: pulumi.Output<string>;
  /** Hash of the cluster's CA, as `sha256:…`: what tells this cluster from any other. */
  declare readonly caCertHash: pulumi.Output<string>;

  constructor(
    name: string,
    args: { [K in keyof ControlPlaneInputs]: pulumi.Input<ControlPlaneInputs[K]> },
    opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
  ) {
    super(
      "ControlPlane",
      name,
      { ...args, kubeconfig: undefined, caCertHash: undefined, leaving: undefined },
      { ...opts, additionalSecretOutputs: ["kubeconfig"] },
    );
  }
}

interface ControlPlaneOutputs {
  readonly kubeconfig: string;
  readonly caCertHash: string;
  /** Machines that have left the settings and are not known to be out of the cluster: a failed update goes on with them. */
  readonly leaving: Member[];
}

type Outputs = ControlPlaneInputs & ControlPlaneOutputs;

/** Machines of the last time that are wanted no more. Another machine under an old name is another one. */
function leavingOf(olds: Outputs, news: ControlPlaneInputs): Member[] {
  const stays = (old: Member) => news.members.some((member) => member.name === old.name && !anotherMachine(old.target, member.target));
  return [...olds.members, ...(olds.leaving ?? [])].filter(
    (old, index, all) => !stays(old) && all.findIndex((other) => other.name === old.name && !anotherMachine(other.target, old.target)) === index,
  );
}

export const controlPlaneLifecycle: Lifecycle<ControlPlaneInputs & { self: string }, ControlPlaneOutputs> = {
  computed: ["kubeconfig", "caCertHash", "leaving"],
  remembers: (olds, news) => ({ leaving: leavingOf(olds, news) }),
  async create(inputs, reporter) {
    return { ...(await reconcile(inputs, undefined, holderOf(inputs.self), reporter)), leaving: [] };
  },
  async update(olds, news, reporter) {
    const before = { inputs: olds, leaving: leavingOf(olds, news), caCertHash: olds.caCertHash };
    return { ...(await reconcile(news, before, holderOf(news.self), reporter)), leaving: [] };
  },
  drift: (outputs, reporter) => inspectControlPlane(outputs, outputs.caCertHash, reporter),
  remove: ({ members, leaving, self }, reporter) => resetControlPlane([...members, ...(leaving ?? [])], holderOf(self), reporter),
};
