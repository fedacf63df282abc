import type * as pulumi from "@pulumi/pulumi";
import { applyFlannel, inspectFlannel, type FlannelInputs } from "../controlplane/flannel.ts";
import { holderOf } from "./identity.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { KubeadmResource } from "./resource.ts";
import { isResetting } from "./run.ts";

/** The pod network: flannel's manifest, applied from a control plane; done when the control planes are Ready and CoreDNS answers. */
export class Flannel extends KubeadmResource {
  constructor(
    name: string,
    args: { [K in keyof FlannelInputs]: pulumi.Input<FlannelInputs[K]> },
    opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
  ) {
    super("Flannel", name, args, opts);
  }
}

export const flannelLifecycle: Lifecycle<FlannelInputs & { self: string }> = {
  quiet: ["controlPlanes"],
  due: (_olds, { controlPlanes }) => controlPlanes.some(({ target }) => isResetting(target)),
  async create(inputs, reporter) {
    await applyFlannel(inputs, holderOf(inputs.self), reporter);
    return {};
  },
  async update(_olds, news, reporter) {
    await applyFlannel(news, holderOf(news.self), reporter);
    return {};
  },
  drift: (outputs, reporter) => inspectFlannel(outputs, reporter),
  // A cluster does not live without its pod network, so this leaves with the cluster: the reset of each machine takes it away.
  remove: async () => {},
};
