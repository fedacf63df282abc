import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClassFileError, parseClass, preparationOf, settingsOf } from "../../../classroom/class-file.ts";
import { chosenStudents, loadClassroom } from "../../../classroom/load.ts";
import { parseSettings } from "../../../kubeadm/settings.ts";

/** The faults of a class file, as they are listed. */
function faults(text: string): string[] {
  try {
    parseClass(text, "class.yaml");
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ClassFileError);
    return (error as Error).message.split("\n").filter((line) => line.startsWith("class.yaml"));
  }
}

const student = { id: "s07", machines: [{ host: "192.0.2.107" }], line: 8 };

describe("a class file", () => {
  test("needs a name only", () => {
    expect(parseClass("name: cka", "/class/class.yaml")).toEqual({
      name: "cka",
      roster: "/class/roster.csv",
      shape: { controlPlanes: 1, workers: 0 },
      language: "en",
      login: "student",
      cluster: {},
      directory: "/class",
    });
  });

  test("shares settings of a cluster, each student's machines besides", () => {
    const klass = parseClass("name: cka\nshape: 1+1\ncluster:\n  kubernetesVersion: '1.37'\n  ssh: { user: ubuntu, port: 2222 }\n  endpoint: { name: api.example.internal }", "class.yaml");
    const machines = [{ host: "192.0.2.11", clusterAddress: "10.0.0.11", user: "root" }, { host: "192.0.2.12", port: 22 }];
    const settings = settingsOf(klass, { ...student, machines });
    expect(settings).toEqual({
      kubernetesVersion: "1.37",
      ssh: { user: "ubuntu", port: 2222 },
      endpoint: { name: "api.example.internal" },
      controlPlanes: [{ name: "s07-cp1", host: "192.0.2.11", clusterAddress: "10.0.0.11", user: "root" }],
      workers: [{ name: "s07-w1", host: "192.0.2.12", port: 22 }],
    });
    expect(parseSettings(settings).faults).toEqual([]);
  });

  test.each([
    ["1", { controlPlanes: 1, workers: 0 }],
    ["1+2", { controlPlanes: 1, workers: 2 }],
    ["'3 + 0'", { controlPlanes: 3, workers: 0 }],
    ["{ controlPlanes: 3, workers: 2 }", { controlPlanes: 3, workers: 2 }],
  ])("has the shape %s", (written, shape) => expect(parseClass(`name: cka\nshape: ${written}`, "class.yaml").shape).toEqual(shape));

  test("names a student's only machine after the student, and gives three control planes the student's floating address", () => {
    const klass = parseClass("name: cka\nshape: 3+0", "class.yaml");
    expect(settingsOf(klass, { ...student, size: { controlPlanes: 1, workers: 0 } }).controlPlanes).toEqual([{ name: "s07", host: "192.0.2.107" }]);
    const machines = ["a", "b", "c"].map((host) => ({ host }));
    const settings = settingsOf(klass, { ...student, machines, vip: "192.0.2.250" });
    expect(settings.endpoint).toEqual({ vip: "192.0.2.250" });
    expect(settings.controlPlanes.map(({ name }) => name)).toEqual(["s07-cp1", "s07-cp2", "s07-cp3"]);
  });

  test("tells every fault with its line", () => {
    expect(
      faults(
        [
          "name: CKA 2026",
          "rooster: students.csv",
          "shape: 2+1",
          "language: kr",
          "ends: tomorrow",
          "parallelism: 0",
          "cluster:",
          "  workers: []",
          "  kubernetesVersion: '1.20'",
          "  ssh:",
          "    usr: ubuntu",
          "  endpoint:",
          "    vip: 192.0.2.10",
        ].join("\n"),
      ),
    ).toEqual([
      "class.yaml:1: name: must be lower-case letters, digits and hyphens, at most 63 characters, no hyphen at either end (RFC 1123 label)",
      'class.yaml:3: shape: must be 1, or control planes + workers, as "1+2" or "3+0"',
      "class.yaml:4: language: must be en or ko",
      "class.yaml:5: ends: must be a day or a time, as 2026-12-04 or 2026-12-04T18:00+09:00",
      "class.yaml:6: parallelism: must be at least 1",
      expect.stringMatching(/^class.yaml:2: rooster: is no setting of a class; did you mean roster\? Known here: name, roster, /),
      "class.yaml:8: cluster.workers: is each student's own: machines come from the roster, and the name from class and student",
      "class.yaml:13: cluster.endpoint.vip: is each student's own: two clusters would take it from each other; give it in the roster's column vip",
      expect.stringMatching(/^class.yaml:9: cluster.kubernetesVersion: /),
      expect.stringMatching(/^class.yaml:11: cluster.ssh.usr: is no setting; did you mean user\?/),
    ]);
  });

  test("may want machines that are only prepared", () => {
    expect(preparationOf(parseClass("name: cka", "class.yaml"))).toBe("cluster");
    expect(preparationOf(parseClass("name: cka\ncluster:\n  prepareTo: runtime", "class.yaml"))).toBe("runtime");
    expect(faults("name: cka\ncluster:\n  prepareTo: half")).toEqual(["class.yaml:3: cluster.prepareTo: must be bare, runtime, packages or cluster"]);
  });

  test("without a name, or with none but faults of YAML", () => {
    expect(faults("")).toEqual(["class.yaml: name: is required"]);
    expect(faults("name: cka\ncluster:\n  ssh: {user: ubuntu\n")).toEqual([expect.stringMatching(/^class.yaml:\d+: Flow map/)]);
    expect(faults("- cka")).toHaveLength(1);
  });

  test("has a name that leaves room for a student's", () => {
    expect(faults(`name: ${"a".repeat(31)}`)).toEqual(["class.yaml:1: name: must be at most 30 letters, so that names of clusters have room for the student"]);
  });
});

describe("a class and its roster", () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "classroom-"))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const load = (klass: string, roster: string) => {
    writeFileSync(join(directory, "class.yaml"), klass);
    writeFileSync(join(directory, "roster.csv"), roster);
    return loadClassroom(join(directory, "class.yaml"));
  };

  test("are loaded together", () => {
    const { klass, students } = load("name: cka", "student,machines\ns01,192.0.2.11\ns02,192.0.2.12");
    expect(klass.name).toBe("cka");
    expect(students.map(({ id }) => id)).toEqual(["s01", "s02"]);
    expect(chosenStudents(students, ["s02"]).map(({ id }) => id)).toEqual(["s02"]);
    expect(() => chosenStudents(students, ["s03", "s01"])).toThrow("not in the roster: s03; did you mean s01?");
  });

  test("faults of the roster are told with file, line and column, also those that only the settings tell", () => {
    expect(() => load("name: cka\nshape: 1+1", "student,machines\ns01,192.0.2.11\nS2,192.0.2.12 192.0.2.13")).toThrow(
      /The roster has 2 faults; nothing was touched:\n.*roster.csv:2:2: names 1 machine, and the class's shape 1\+1 needs 2\n.*roster.csv:3:1: S2 cannot be a student's id/,
    );
    expect(() => load("name: cka", "student,machines\ns01,vm1.example.com\ns02,10.244.1.5")).toThrow(
      /roster.csv:2: vm1.example.com: the column internal is required when host is no IPv4 address: .*\n.*roster.csv:3: 10.244.1.5: host 10.244.1.5 lies in the pods' network/,
    );
    expect(() => load("name: cka\nshape: 3+0", "student,machines\ns01,192.0.2.1 192.0.2.2 192.0.2.3")).toThrow(/roster.csv:2: endpoint.vip: is required with 3 control planes/);
  });

  test("files that are not there", () => {
    expect(() => loadClassroom(join(directory, "class.yaml"))).toThrow("class.yaml cannot be read (ENOENT). Next: copy examples/class.yaml");
    writeFileSync(join(directory, "class.yaml"), "name: cka\nroster: students.csv");
    expect(() => loadClassroom(join(directory, "class.yaml"))).toThrow(/students.csv cannot be read \(ENOENT\)/);
  });
});
