import type { ClusterSettings, MachineSettings, Preparation } from "../../kubeadm/settings.ts";

/** What stages are made from: the settings, with what is known besides them. */
export type StageSettings = ClusterSettings & {
  /** `project/stack/cluster`: who a machine belongs to. */
  readonly owner: string;
};

/** One thing done to one machine: its script's inspect, apply and remove. */
export interface Stage<P extends object = any> {
  /** Name in `pulumi up`, of the log and of the undo ledger on the machine. */
  readonly name: string;
  /** File in `scripts/`. */
  readonly script: string;
  /** Longest time, in seconds, that its apply or remove may take before the machine ends it. */
  readonly deadlineSeconds: number;
  /** The least that machines are prepared to with this stage (the setting `prepareTo`). Default: it is there always. */
  readonly from?: Preparation;
  /**
   * Whether the stage is for that machine: of names, roles and the endpoint only, which are plain values when the program runs.
   * Default: it is for every machine.
   */
  appliesTo?(cluster: ClusterSettings, machine: MachineSettings): boolean;
  /**
   * What of the settings concerns the stage on this machine: plain JSON, no secret. It becomes the resource's inputs, so it names
   * settings rather than the text made from them: a new version of the kit that writes a file otherwise is drift, not a new input.
   *
   * @param cluster with a full patch version as kubernetesVersion
   */
  parameters(cluster: StageSettings, machine: MachineSettings): P;
  /** The script's variables. */
  environment(parameters: P): Record<string, string>;
}
