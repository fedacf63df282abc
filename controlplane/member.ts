import type { MachineSettings } from "../kubeadm/settings.ts";
import type { SshTarget } from "../machine/target.ts";

/** A machine of the control plane: its settings and how to reach it. */
export interface Member extends MachineSettings {
  readonly target: SshTarget;
}
