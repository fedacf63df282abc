import type { ClusterSettings, MachineSettings } from "../kubeadm/settings.ts";
import { resolveVersion } from "../kubeadm/versions.ts";
import { connect } from "../machine/connection.ts";
import { inspect } from "../machine/inspect.ts";
import { faultsOf } from "../machine/preflight/faults.ts";
import { parseFacts, preflightEnvironment, type MachineFacts } from "../machine/preflight/facts.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import { targetOf } from "./target.ts";

/** What is remembered from earlier runs. */
export interface KnownBefore {
  readonly owner: string;
  readonly hostKeys?: Record<string, string>;
  readonly kubernetesVersion?: string;
}

/** What looking at all machines gave. */
export interface PreflightResult {
  /** Every fault of every machine, a text each; empty when the work may begin. */
  readonly faults: string[];
  readonly hostKeys: Record<string, string>;
  readonly kubernetesVersion?: string;
}
