import type { Stage } from "./stage.ts";

/** Whom the machine belongs to. */
export interface ClaimParameters {
  /** `project/stack/cluster`. Without it, a remove gives the machine back whoever it belongs to. */
  readonly owner?: string;
}

/** Takes the machine for one cluster. Its remove comes last and gives the machine back, whatever the other stages had come to. */
export const claim: Stage<ClaimParameters> = {
  name: "claim",
  script: "claim.sh",
  // A remove may have to reset the node and to undo every stage.
  deadlineSeconds: 1800,
  parameters: ({ owner }) => ({ owner }),
  environment: ({ owner }) => ({ OWNER: owner ?? "" }),
};
