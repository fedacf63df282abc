import { join } from "node:path";
import { defineConfig } from "vitest/config";

// .ci/run collects the results of all parts in one folder, and prints at its end what was skipped.
const results = process.env.VITEST_RESULTS;

const minute = 60_000;

/** Tests that share one cluster, or the engine's state, run in one file after the other. */
const oneByOne = { testTimeout: 40 * minute, hookTimeout: 20 * minute, teardownTimeout: 5 * minute, fileParallelism: false };

export default defineConfig({
  test: {
    reporters: results ? ["default", ["json", { outputFile: join(results, `${process.pid}.json`) }]] : ["default"],
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { test: { name: "ssh", include: ["test/ssh/**/*.test.ts"], testTimeout: 20_000 } },
      { test: { name: "engine", include: ["test/engine/**/*.test.ts"], ...oneByOne } },
      { test: { name: "lab", include: ["test/lab/**/*.test.ts"], ...oneByOne } },
    ],
  },
});
