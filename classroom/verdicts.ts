import type { MachineProof } from "./proof.ts";

/** What is said of a machine, in the table and in the report. */
export const verdictWords: Readonly<Record<MachineProof["verdict"], string>> = {
  untouched: "untouched",
  "as-before": "as before",
  clean: "nothing left",
  differs: "DIFFERS",
  unproven: "NOT PROVEN",
  "not-given-back": "NOT GIVEN BACK",
};
