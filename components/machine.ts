import * as pulumi from "@pulumi/pulumi";
import type { MachineSettings } from "../kubeadm/settings.ts";
import { stages, type StageSettings } from "../machine/stages/index.ts";
import type { SshTarget } from "../machine/target.ts";
import { componentType } from "./resource.ts";
import { Stage } from "./stage.ts";

/** What a machine is given. */
export interface MachineArgs {
  /** How to reach it. */
  readonly target: pulumi.Input<SshTarget>;
  /** Its part of the settings; known when all addresses are. */
  readonly machine: pulumi.Input<MachineSettings>;
  readonly settings: pulumi.Input<StageSettings>;
}

/** One machine made ready for kubeadm: all stages, one after the other. */
export class Machine extends pulumi.ComponentResource {
  /** The last stage: what needs the machine ready depends on it. */
  readonly ready: Stage;
  /** The machine as the last stage hands it on. */
  readonly target: pulumi.Output<SshTarget>;

  constructor(name: string, args: MachineArgs, opts: pulumi.ComponentResourceOptions) {
    super(componentType("Machine"), name, {}, opts);

    const both = pulumi.all([args.settings, args.machine]);
    let previous: Stage | undefined;
    for (const stage of stages) {
      previous = new Stage(
        `${name}-${stage.name}`,
        {
          stage: stage.name,
          target: previous?.target ?? args.target,
          parameters: both.apply(([settings, machine]) => stage.parameters(settings as StageSettings, machine as MachineSettings)),
        },
        { parent: this, dependsOn: previous },
      );
    }
    this.ready = previous!;
    this.target = this.ready.target;
    this.registerOutputs({ target: this.target });
  }
}
