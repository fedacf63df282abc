import type * as pulumi from "@pulumi/pulumi";
import { stageNamed } from "../machine/stages/index.ts";
import { applyStage, inspectStage, removeStage } from "../controlplane/stage.ts";
import type { SshTarget } from "../machine/target.ts";
import { anotherMachine, holderOf } from "./identity.ts";
import { isStageInUse, useStage } from "./run.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { KubeadmResource } from "./resource.ts";

/** What a stage on one machine is given. */
export interface StageInputs {
  /** Name of the stage in `machine/stages`. */
  readonly stage: string;
  readonly target: SshTarget;
  /** What the stage's `parameters` made of the settings. */
  readonly parameters: object;
}

/** One stage on one machine: its script's inspect, apply and remove are this resource's refresh, create and delete. */
export class Stage extends KubeadmResource {
  /** The machine, handed on to the next stage so that the engine undoes stages in the right order when the machine is replaced. */
  declare readonly target: pulumi.Output<SshTarget>;

  constructor(
    name: string,
    args: { stage: string; target: pulumi.Input<SshTarget>; parameters: pulumi.Input<object> },
    opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
  ) {
    super("Stage", name, args, opts);
  }
}

export const stageLifecycle: Lifecycle<StageInputs & { self: string }> = {
  quiet: ["target"],
  replaces: (olds, news) => (anotherMachine(olds.target, news.target) ? ["target"] : []),
  async check(_olds, news) {
    useStage(news.stage, news.target);
    return { inputs: news, failures: [] };
  },
  create: (inputs, reporter) => apply(inputs, reporter),
  update: (_olds, news, reporter) => apply(news, reporter),
  drift: ({ stage, target, parameters }, reporter) => inspectStage(stageNamed(stage), target, parameters, reporter),
  async remove({ stage, target, parameters, self }, reporter) {
    if (isStageInUse(stage, target)) return reporter.info(`${target.name} is in use again: nothing is undone on it`);
    await removeStage(stageNamed(stage), target, parameters, holderOf(self), reporter);
  },
};

async function apply(
  { stage, target, parameters, self }: StageInputs & { self: string },
  reporter: Parameters<Lifecycle<StageInputs>["create"]>[1],
): Promise<object> {
  await applyStage(stageNamed(stage), target, parameters, holderOf(self), reporter);
  return {};
}
