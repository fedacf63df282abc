import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseClass } from "../../../classroom/class-file.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "classroom-keys-"))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const faultsOf = (yaml: string) => parseClass(`name: cka\n${yaml}`, "class.yaml").faults.map(({ line, reason }) => `${line}: ${reason}`);

describe("a key that all students share", () => {
  test("is told once where it is not there, with its line, beside whatever else is wrong there", () => {
    expect(faultsOf("cluster:\n  kubernetesVersion: '1.20'\n  ssh:\n    privateKeyPath: /nowhere/id\n    usr: ops")).toEqual([
      expect.stringMatching(/^3: cluster\.kubernetesVersion: /),
      expect.stringMatching(/^6: cluster\.ssh\.usr: /),
      expect.stringMatching(/^5: cluster\.ssh\.privateKeyPath: the key \/nowhere\/id cannot be read \(ENOENT\)\. Next: correct the path/),
    ]);
  });

  test("is told once where it is no path and no name at all", () => {
    expect(faultsOf("instructorKeyPath: ''\ncluster: { ssh: { privateKeyPath: 5 } }")).toEqual([expect.stringMatching(/^2: instructorKeyPath: /), expect.stringMatching(/^3: cluster\.ssh\.privateKeyPath: /)]);
  });

  test("may be the instructor's, a bastion's, or in the environment", () => {
    expect(faultsOf("instructorKeyPath: /nowhere/id.pub\ncluster: { ssh: { privateKeyEnv: NOT_SET_HERE, bastion: { host: b, privateKeyPath: /nowhere/b } } }")).toEqual([
      expect.stringMatching(/^3: cluster\.ssh\.privateKeyEnv: the environment variable NOT_SET_HERE is not set/),
      expect.stringMatching(/^3: cluster\.ssh\.bastion\.privateKeyPath: the key \/nowhere\/b cannot be read/),
      expect.stringMatching(/^2: instructorKeyPath: the key \/nowhere\/id\.pub cannot be read/),
    ]);
  });

  test("is the instructor's beside the class file, wherever the command runs", () => {
    writeFileSync(join(directory, "me.pub"), "x");
    expect(parseClass("name: cka\ninstructorKeyPath: me.pub", join(directory, "class.yaml")).faults).toEqual([]);
  });

  test("is no fault where it is there, and where there is none", () => {
    writeFileSync(join(directory, "id"), "x");
    vi.stubEnv("SET_HERE", "x");
    expect(faultsOf(`cluster: { ssh: { privateKeyPath: ${join(directory, "id")} } }`)).toEqual([]);
    expect(faultsOf("cluster: { ssh: { privateKeyEnv: SET_HERE } }")).toEqual([]);
    expect(faultsOf("")).toEqual([]);
  });
});
