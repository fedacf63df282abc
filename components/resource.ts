import * as pulumi from "@pulumi/pulumi";

/** The resources of the kit that have a life on a machine; each has its lifecycle in the file of that name. */
export type Kind = "Preflight" | "Stage" | "ControlPlane" | "Flannel" | "Worker";

/** Pulumi's type token of the component classes. */
export const componentType = (name: "Cluster" | "Machine") => `kubeadm:index:${name}`;

const resourceType = (kind: Kind) => `pulumi-nodejs:dynamic/kubeadm:${kind}`;

// Pulumi stores the text of these functions in the state and runs it in the provider process, whose working directory is the
// project's. So the text holds nothing but a require of the real code: it never goes stale, and state is tied to no checkout.
declare const require: (path: string) => typeof import("./provider.ts");

const shim: pulumi.dynamic.ResourceProvider = {
  check: (olds, news) => require("./components/provider.ts").check(olds, news),
  diff: (id, olds, news) => require("./components/provider.ts").diff(id, olds, news),
  create: (inputs) => require("./components/provider.ts").create(inputs),
  read: (id, outputs) => require("./components/provider.ts").read(id, outputs),
  update: (id, olds, news) => require("./components/provider.ts").update(id, olds, news),
  delete: (id, outputs) => require("./components/provider.ts").remove(id, outputs),
};

/**
 * The URN that the resource will have. As a promise it carries no dependency: as an Output it would depend on the parent, that is
 * on all the parent's children, this resource among them.
 */
function urnOf(name: string, kind: Kind, parent: pulumi.Resource): Promise<string> {
  return new Promise((resolve) => pulumi.createUrn(name, resourceType(kind), parent).apply(resolve));
}

/** A resource whose work is done by one lifecycle of `components/provider.ts`. */
export abstract class KubeadmResource extends pulumi.dynamic.Resource {
  /** `ok`, or `partial` after a failure half-way: the next `pulumi up` goes on from there. */
  declare readonly status: pulumi.Output<"ok" | "partial">;
  /** What `pulumi refresh` found to differ from what was asked for, a sentence each. */
  declare readonly drift: pulumi.Output<string[]>;

  constructor(kind: Kind, name: string, inputs: pulumi.Inputs, opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource }) {
    super(
      shim,
      name,
      {
        ...inputs,
        kind,
        // The provider is not told its URN, and needs it to write progress into this resource's own row.
        self: urnOf(name, kind, opts.parent),
        // Constant: a refresh that finds drift fills it, so that the difference has a place to be shown.
        drift: [],
        status: undefined,
      },
      opts,
      "kubeadm",
      kind,
    );
  }
}
