import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseClass } from "../../../classroom/class-file.ts";
import { keyFaults } from "../../../classroom/keys.ts";
import { loadClassroom } from "../../../classroom/load.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "classroom-keys-"))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const faultsOf = (yaml: string) => keyFaults(parseClass(`name: cka\n${yaml}`, "class.yaml"));

describe("a key that all students share", () => {
  test("is told once where it is not there, before the roster is read and any machine is asked", () => {
    writeFileSync(join(directory, "class.yaml"), "name: cka\ncluster: { ssh: { privateKeyPath: /nowhere/id } }\n");
    expect(() => loadClassroom(join(directory, "class.yaml"))).toThrow(/class\.yaml: cluster\.ssh\.privateKeyPath: the key \/nowhere\/id cannot be read \(ENOENT\)\. Next: correct the path/);
  });

  test("may be the instructor's, a bastion's, or in the environment", () => {
    expect(faultsOf("instructorKeyPath: /nowhere/id.pub\ncluster: { ssh: { privateKeyEnv: NOT_SET_HERE, bastion: { host: b, privateKeyPath: /nowhere/b } } }")).toEqual([
      expect.stringMatching(/^cluster\.ssh\.privateKeyEnv: the environment variable NOT_SET_HERE is not set/),
      expect.stringMatching(/^cluster\.ssh\.bastion\.privateKeyPath: the key \/nowhere\/b cannot be read/),
      expect.stringMatching(/^instructorKeyPath: the key \/nowhere\/id\.pub cannot be read/),
    ]);
  });

  test("is no fault where it is there, and where there is none", () => {
    writeFileSync(join(directory, "id"), "x");
    vi.stubEnv("SET_HERE", "x");
    expect(faultsOf(`cluster: { ssh: { privateKeyPath: ${join(directory, "id")} } }`)).toEqual([]);
    expect(faultsOf("cluster: { ssh: { privateKeyEnv: SET_HERE } }")).toEqual([]);
    expect(faultsOf("")).toEqual([]);
  });
});
