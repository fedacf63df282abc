import type { ClusterSettings, MachineSettings } from "../../kubeadm/settings.ts";
import type { MachineFacts } from "./facts.ts";

/** Something about a machine that stands in the way of the cluster. */
export interface Fault {
  /** Name of the machine. */
  readonly machine: string;
  /** Name of the check, as in `ignorePreflightErrors`; kubeadm's name where kubeadm checks the same. */
  readonly check: string;
  /** False when the work could only fail, or would harm something: then the fault cannot be accepted. */
  readonly waivable: boolean;
  /** What was found. */
  readonly found: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly next: string;
}

/** A fault as a rule states it; the machine is the one that the rule was asked about. Waivable unless said otherwise. */
export interface Finding {
  readonly check: string;
  readonly waivable?: false;
  readonly found: string;
  readonly why: string;
  readonly next: string;
}

/** What came of looking at a machine. */
export interface Observation {
  readonly machine: MachineSettings;
  readonly role: "control-plane" | "worker";
  readonly facts: MachineFacts;
  /** This computer's clock right before the question was sent and right after the answer came, in seconds since 1970. */
  readonly sent: number;
  readonly received: number;
}

/** What all rules may look at besides the machine. */
export interface Surroundings {
  readonly settings: ClusterSettings;
  /** project/stack/cluster that the machines are to belong to. */
  readonly owner: string;
  /** The patch version of the cluster, where it is known. */
  readonly kubernetesVersion?: string;
}

/** Looks at one machine. */
export type Rule = (observation: Observation, surroundings: Surroundings) => Finding[];

/** True when the machine belongs to this cluster already: then what is on it is ours. */
export const isOurs = ({ facts }: Observation, { owner }: Surroundings): boolean => facts.owner === owner;
