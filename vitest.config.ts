import { join } from "node:path";
import { defineConfig } from "vitest/config";

// .ci/run collects the results of all parts in one folder, and prints at its end what was skipped.
const results = process.env.VITEST_RESULTS;

const minute = 60_000;

/** Tests that share one cluster, or the engine's state: one file after the other. */
const oneByOne = { testTimeout: 40 * minute, hookTimeout: 20 * minute, fileParallelism: false };

/** vitest wants projects that differ in their number of workers to run after each other. */
const groupOrder = (order: number) => ({ sequence: { groupOrder: order } });

export default defineConfig({
  test: {
    reporters: results ? ["default", ["json", { outputFile: join(results, `${process.pid}.json`) }]] : ["default"],
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000, ...groupOrder(1) } },
      // These wait more than they work: more files at once than there are processors.
      { test: { name: "ssh", include: ["test/ssh/**/*.test.ts"], testTimeout: 60_000, maxWorkers: 4, ...groupOrder(2) } },
      { test: { name: "engine", include: ["test/engine/**/*.test.ts"], ...oneByOne, ...groupOrder(3) } },
      { test: { name: "browser", include: ["test/browser/**/*.test.ts"], ...oneByOne, testTimeout: 2 * minute, ...groupOrder(6) } },
      { test: { name: "lab", include: ["test/lab/**/*.test.ts"], ...oneByOne, ...groupOrder(4) } },
      { test: { name: "lab-long", include: ["test/lab-long/**/*.test.ts"], ...oneByOne, ...groupOrder(5) } },
    ],
  },
});
