import * as pulumi from "@pulumi/pulumi";
import type { MachineSettings } from "../kubeadm/settings.ts";
import { endpoint } from "../machine/stages/endpoint.ts";
import type { Stage as MachineStage, StageSettings } from "../machine/stages/index.ts";
import { names } from "../machine/stages/names.ts";
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
  /** The stages that apply to it, in their order: plain values, since they decide which resources there are. */
  readonly stages: readonly MachineStage[];
  /**
   * Whether a machine whose place another one takes is given back before the other one is prepared, as a worker is, whose node's name
   * the other one takes over. A control plane is a member until the other one's stages are done: then ControlPlane takes it out.
   */
  readonly leavesFirst: boolean;
  /** The endpoint stages of all control planes, known when every machine is made: no name leads to an address that nobody holds yet. */
  readonly endpoints: Promise<Stage[]>;
}

/** One machine made ready for kubeadm: all stages, one after the other. */
export class Machine extends pulumi.ComponentResource {
  /** The stage that lets it hold the endpoint's address; undefined where it never does. */
  readonly endpoint?: Stage;
  /** The last stage: what needs the machine ready depends on it. */
  readonly ready: Stage;
  /** The machine as the last stage hands it on. */
  readonly target: pulumi.Output<SshTarget>;

  constructor(name: string, args: MachineArgs, opts: pulumi.ComponentResourceOptions) {
    super(componentType("Machine"), name, {}, opts);

    const both = pulumi.all([args.settings, args.machine]);
    let previous: Stage | undefined;
    for (const stage of args.stages) {
      const before: Stage[] = previous ? [previous] : [];
      const dependsOn: pulumi.Input<Stage[]> = stage === names ? args.endpoints.then((endpoints) => [...endpoints, ...before]) : before;
      previous = new Stage(
        `${name}-${stage.name}`,
        {
          stage: stage.name,
          target: previous?.target ?? args.target,
          parameters: both.apply(([settings, machine]) => stage.parameters(settings as StageSettings, machine as MachineSettings)),
        },
        { parent: this, deleteBeforeReplace: args.leavesFirst, dependsOn },
      );
      if (stage === endpoint) this.endpoint = previous;
    }
    this.ready = previous!;
    this.target = this.ready.target;
    this.registerOutputs({ target: this.target });
  }
}
