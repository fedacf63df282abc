import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseSettings } from "../../../kubeadm/settings.ts";
import { sizeFault } from "../../../quorum/sizes.ts";

const directory = join(import.meta.dirname, "../../../examples");

describe("an example to start from", () => {
  it.each(globSync("Pulumi.*.yaml", { cwd: directory }))("%s has no fault", (file) => {
    const { config } = parse(readFileSync(join(directory, file), "utf8")) as { config: Record<string, unknown> };
    const raw = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace("pulumi-kubeadm:", ""), value]));
    expect(parseSettings(raw, { controlPlaneSize: sizeFault }).faults).toEqual([]);
  });
});
