import type * as pulumi from "@pulumi/pulumi";
import {
  inspectControlPlane,
  reconcile,
  resetControlPlane,
  type ControlPlaneInputs,
} from "../controlplane/reconcile.ts";
import type { Member } from "../controlplane/member.ts";
import { anotherMachine, holderOf } from "./identity.ts";
import { isControlPlaneInUse, seenOf, useControlPlane } from "./run.ts";
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

const sameMachine = (a: Member, b: Member): boolean => a.name === b.name && !anotherMachine(a.target, b.target);

/**
 * Machines of earlier times that are wanted no more. Another machine under an old name is another one. Preflight also knows those of
 * a run that was killed before this resource could remember them.
 */
function leavingOf(olds: Partial<Outputs>, news: ControlPlaneInputs): Member[] {
  const earlier = [...(olds.members ?? []), ...(olds.leaving ?? []), ...(seenOf(news.cluster.owner)?.formers ?? [])];
  return earlier.filter(
    (old, index) =>
      !news.members.some((member) => sameMachine(old, member)) && earlier.findIndex((other) => sameMachine(other, old)) === index,
  );
}

/** Machines that were on their way out at the last time, and are wanted again. */
const returnedOf = (olds: Outputs, news: ControlPlaneInputs): Member[] =>
  news.members.filter((member) => (olds.leaving ?? []).some((old) => sameMachine(old, member)));

export const controlPlaneLifecycle: Lifecycle<ControlPlaneInputs & { self: string }, ControlPlaneOutputs> = {
  computed: ["kubeconfig", "caCertHash", "leaving"],
  due: (_olds, news) => seenOf(news.cluster.owner)?.due ?? false,
  remembers: (olds, news) => ({ leaving: leavingOf(olds, news) }),
  async check(_olds, news) {
    useControlPlane(news.cluster.owner);
    return { inputs: news, failures: [] };
  },
  async create(inputs, reporter) {
    const before = { leaving: leavingOf({}, inputs), returned: [] };
    return { ...(await reconcile(inputs, before, holderOf(inputs.self), reporter)), leaving: [] };
  },
  async update(olds, news, reporter) {
    const before = { inputs: olds, leaving: leavingOf(olds, news), returned: returnedOf(olds, news), caCertHash: olds.caCertHash };
    return { ...(await reconcile(news, before, holderOf(news.self), reporter)), leaving: [] };
  },
  drift: (outputs, reporter) => inspectControlPlane(outputs, outputs.caCertHash, reporter),
  async remove({ cluster, members, leaving, self }, reporter) {
    if (isControlPlaneInUse(cluster.owner)) return reporter.info("the control plane is in use: nothing is reset");
    await resetControlPlane(cluster.owner, [...members, ...(leaving ?? [])], holderOf(self), reporter);
  },
};
