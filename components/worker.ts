import type * as pulumi from "@pulumi/pulumi";
import { inspectWorker, joinWorker, removeWorker, type WorkerInputs as Join } from "../controlplane/worker.ts";
import { anotherMachine, holderOf } from "./identity.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { KubeadmResource } from "./resource.ts";
import { isResetting, seenOf } from "./run.ts";

/** A worker node: a prepared machine that has joined the cluster and is Ready. */
export class Worker extends KubeadmResource {
  constructor(
    name: string,
    args: { [K in keyof Join]: pulumi.Input<Join[K]> },
    opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
  ) {
    super("Worker", name, args, { ...opts, deleteBeforeReplace: true });
  }
}

export const workerLifecycle: Lifecycle<Join & { self: string }> = {
  quiet: ["target", "controlPlanes"],
  due: (_olds, { target }) => isResetting(target),
  replaces: (olds, news) => (anotherMachine(olds.target, news.target) ? ["target"] : []),
  async create(inputs, reporter) {
    await joinWorker(inputs, undefined, holderOf(inputs.self), reporter);
    return {};
  },
  async update(olds, news, reporter) {
    await joinWorker(news, olds, holderOf(news.self), reporter);
    return {};
  },
  drift: (outputs, reporter) => inspectWorker(outputs, reporter),
  remove(outputs, reporter) {
    // The control planes of its own last update may all be gone by now.
    const controlPlanes = [...(seenOf(outputs.cluster.owner)?.members ?? []), ...outputs.controlPlanes];
    return removeWorker({ ...outputs, controlPlanes }, holderOf(outputs.self), reporter);
  },
};
