import type { Stage } from "./stage.ts";

/** Modules, sysctls and swap as Kubernetes needs them, now and after a restart. */
export const kernel: Stage<Record<string, never>> = {
  name: "kernel",
  script: "kernel.sh",
  // Emptying swap into memory takes its time on a slow disk.
  deadlineSeconds: 600,
  from: "runtime",
  parameters: () => ({}),
  environment: () => ({}),
};
