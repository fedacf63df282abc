import type { LookFault } from "./look.ts";

/** Something about a student's machines that somebody may have to do something about. Plain facts: words.ts has the sentences. */
export type Problem =
  /** A machine could not be looked at. `said` and `next` name addresses and keys. */
  | { readonly kind: LookFault["kind"]; readonly machine: string; readonly said: string; readonly next: string }
  /** A machine belongs to another cluster of the kit. */
  | { readonly kind: "foreign"; readonly machine: string; readonly owner: string }
  /** Somebody has made a cluster by hand where the class is to have its own. `made` tells what. */
  | { readonly kind: "by-hand"; readonly machine: string; readonly made: string }
  /** The last command did not come to its end. `said` may name addresses. */
  | { readonly kind: "failed"; readonly command: string; readonly said: string; readonly next?: string | undefined }
  | { readonly kind: "killed"; readonly command: string }
  /** Machines are prepared up to a stage, or some have joined and others have not, and nobody works on them. */
  | { readonly kind: "unfinished"; readonly stage: string }
  | { readonly kind: "not-begun" }
  /** A certificate has ended (`days` below 0) or ends soon. */
  | { readonly kind: "certificate"; readonly machine: string; readonly name: string; readonly days: number }
  /** The cluster does not tell how it is. */
  | { readonly kind: "silent-cluster"; readonly said: string }
  | { readonly kind: "nodes-not-ready"; readonly nodes: readonly string[] }
  | { readonly kind: "nodes-missing"; readonly nodes: readonly string[] }
  | { readonly kind: "disk"; readonly machine: string; readonly availableBytes: number; readonly percent: number }
  | { readonly kind: "pods"; readonly failing: number; readonly first: FailingPod };

/** A pod that does not run, as `kubectl get pods` shows it. */
export interface FailingPod {
  readonly namespace: string;
  readonly name: string;
  /** As `CrashLoopBackOff`, `Pending`; `0/1 Running` where it runs and is not ready. */
  readonly reason: string;
}
