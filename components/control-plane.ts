import type * as pulumi from "@pulumi/pulumi";
import {
  inspectControlPlane,
  reconcile,
  resetControlPlane,
  type ControlPlaneInputs,
} from "../controlplane/reconcile.ts";
import { holderOf } from "./identity.ts";
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
      { ...args, kubeconfig: undefined, caCertHash: undefined },
      { ...opts, additionalSecretOutputs: ["kubeconfig"] },
    );
  }
}

interface ControlPlaneOutputs {
  readonly kubeconfig: string;
  readonly caCertHash: string;
}

export const controlPlaneLifecycle: Lifecycle<ControlPlaneInputs & { self: string }, ControlPlaneOutputs> = {
  computed: ["kubeconfig", "caCertHash"],
  create: (inputs, reporter) => reconcile(inputs, undefined, holderOf(inputs.self), reporter),
  update: (olds, news, reporter) => reconcile(news, olds.caCertHash, holderOf(news.self), reporter, olds),
  drift: (outputs, reporter) => inspectControlPlane(outputs, reporter),
  remove: (outputs, reporter) => resetControlPlane(outputs, holderOf(outputs.self), reporter),
};
