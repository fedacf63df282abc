/** What to do next to the control plane. A reason is a few words that go on after a colon. */
export type Step =
  | { readonly kind: "nothing" }
  /** The first control plane of a new cluster. */
  | { readonly kind: "init"; readonly machine: string; readonly reason: string }
  /** A member of which something is not ready: start it, wait. No membership change. May name a machine that left. */
  | { readonly kind: "start"; readonly machine: string; readonly wanted: boolean; readonly reason: string }
  /** Snapshot, then join as learner, promoted by kubeadm. `running`: its join runs already; wait for its end, and start none. May name a machine that left. */
  | { readonly kind: "join"; readonly machine: string; readonly wanted: boolean; readonly running: boolean; readonly reason: string }
  | {
      readonly kind: "remove";
      readonly memberId: string;
      /** Its name; its id when it has none. */
      readonly member: string;
      /** The machine that it runs on; undefined when no known machine does. */
      readonly machine?: string;
      /** Whether that machine is the wanted one of its name: then it is reset to join anew. */
      readonly wanted: boolean;
      /** Whether the machine can be reached: then drain it, stop the endpoint on it, and reset it. */
      readonly reachable: boolean;
      readonly learner: boolean;
      /** Id of the member that leads first. */
      readonly leaderTo?: string;
      readonly reason: string;
    }
  /** Holds stale parts of a control plane and is no member. `wanted` tells two machines of the same name apart. */
  | { readonly kind: "reset"; readonly machine: string; readonly wanted: boolean; readonly reason: string }
  | Refusal;

/** Nothing is allowed, and nothing is changed. */
export interface Refusal {
  readonly kind: "refuse";
  /** With voters, quorum, tolerance, and who is sick. */
  readonly reason: string;
  /** The safe thing to do. */
  readonly next: string;
}
