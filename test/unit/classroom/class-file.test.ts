import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseClass, preparationOf, settingsOf } from "../../../classroom/class-file.ts";
import { chosenStudents, faultsText, loadClassroom } from "../../../classroom/load.ts";
import { parseSettings } from "../../../kubeadm/settings.ts";

const parse = (text: string) => parseClass(text, "class.yaml");
const klassOf = (text: string) => parse(text).klass!;

/** The faults of a class file, with their lines. */
const faults = (text: string) => parse(text).faults.map(({ line, reason }) => `${line === undefined ? "" : `${line}: `}${reason}`);

const student = { id: "s07", machines: [{ host: "192.0.2.107" }], line: 8 };

describe("a class file", () => {
  test("needs a name only", () => {
    expect(parseClass("name: cka", "/class/class.yaml").klass).toEqual({
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
    const klass = klassOf("name: cka\nshape: 1+1\ncluster:\n  kubernetesVersion: '1.37'\n  ssh: { user: ubuntu, port: 2222 }\n  endpoint: { name: api.example.internal }");
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
  ])("has the shape %s", (written, shape) => expect(klassOf(`name: cka\nshape: ${written}`).shape).toEqual(shape));

  test("names a student's only machine after the student, and gives three control planes the student's floating address", () => {
    const klass = klassOf("name: cka\nshape: 3+0");
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
      "1: name: must be lower-case letters, digits and hyphens, at most 63 characters, no hyphen at either end (RFC 1123 label)",
      '3: shape: must be 1, or control planes + workers, as "1+2" or "3+0"',
      "4: language: must be en or ko",
      "5: ends: must be a day or a time, as 2026-12-04 or 2026-12-04T18:00+09:00",
      "6: parallelism: must be at least 1",
      expect.stringMatching(/^2: rooster: is no setting of a class; did you mean roster\? Known here: name, roster, /),
      "8: cluster.workers: is each student's own: machines come from the roster, and the name from class and student",
      "13: cluster.endpoint.vip: is each student's own: two clusters would take it from each other; give it in the roster's column vip",
      expect.stringMatching(/^9: cluster.kubernetesVersion: /),
      expect.stringMatching(/^11: cluster.ssh.usr: is no setting; did you mean user\?/),
    ]);
  });

  test("may want machines that are only prepared", () => {
    expect(preparationOf(klassOf("name: cka"))).toBe("cluster");
    expect(preparationOf(klassOf("name: cka\ncluster:\n  prepareTo: runtime"))).toBe("runtime");
    expect(faults("name: cka\ncluster:\n  prepareTo: half")).toEqual(["3: cluster.prepareTo: must be bare, runtime, packages or cluster"]);
  });

  test("without a name, or with none but faults of YAML", () => {
    expect(faults("")).toEqual(["name: is required"]);
    expect(faults("name: cka\ncluster:\n  ssh: {user: ubuntu\n")).toEqual([expect.stringMatching(/^\d+: Flow map/)]);
    expect(faults("- cka")).toHaveLength(1);
  });

  test("has a name that leaves room for a student's", () => {
    expect(faults(`name: ${"a".repeat(31)}`)).toEqual(["1: name: must be at most 30 letters, so that names of clusters have room for the student"]);
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

  /** What is told, without the directory; whether machines can be reached, and whose line is sound. */
  const told = (klass: string, roster: string) => {
    const { klass: usable, sound, faults } = load(klass, roster);
    return { told: faultsText(faults).replaceAll(`${directory}/`, "").split("\n"), isReachable: usable !== undefined, sound: sound.map(({ id }) => id) };
  };

  test("are loaded together", () => {
    const { klass, students, sound, faults } = load("name: cka", "student,machines\ns01,192.0.2.11\ns02,192.0.2.12");
    expect(klass!.name).toBe("cka");
    expect(sound).toEqual(students);
    expect(faults).toEqual([]);
    expect(students.map(({ id }) => id)).toEqual(["s01", "s02"]);
    expect(chosenStudents(students, ["s02"]).map(({ id }) => id)).toEqual(["s02"]);
    expect(() => chosenStudents(students, ["s03", "s01"])).toThrow("not in the roster: s03; did you mean s01?");
  });

  test("faults of the roster are told with file, line and column, also those that only the settings tell", () => {
    expect(told("name: cka\nshape: 1+1", "student,machines\ns01,192.0.2.11\nS2,192.0.2.12 192.0.2.13\ns03,10.244.1.5 192.0.2.14\ns04,192.0.2.15 192.0.2.16").told).toEqual([
      "3 faults in roster.csv; nothing was touched:",
      "roster.csv:2:2: names 1 machine, and the class's shape 1+1 needs 2",
      expect.stringMatching(/^roster\.csv:3:1: S2 cannot be a student's id/),
      expect.stringMatching(/^roster\.csv:4: 10\.244\.1\.5: host 10\.244\.1\.5 lies in the pods' network/),
    ]);
    expect(told("name: cka", "student,machines\ns01,vm1.example.com").told[1]).toMatch(/^roster.csv:2: vm1.example.com: the column internal is required when host is no IPv4 address: /);
    expect(told("name: cka\nshape: 3+0", "student,machines\ns01,192.0.2.1 192.0.2.2 192.0.2.3").told[1]).toMatch(/^roster.csv:2: endpoint.vip: is required with 3 control planes/);
  });

  describe("their faults are told together", () => {
    const roster = "student,machines\ns01,192.0.2.11\nS2,192.0.2.12\ns03,192.0.2.11\ns04,10.244.1.5";
    const inRoster = [
      expect.stringMatching(/^roster\.csv:3:1: S2 cannot be/),
      "roster.csv:4:2: 192.0.2.11 is s01's already (line 2); each machine belongs to one student",
    ];
    const inSettings = expect.stringMatching(/^roster\.csv:5: 10\.244\.1\.5: host 10\.244\.1\.5 lies in the pods' network/);

    test("and the machines of sound lines can be reached, where the class file is wrong in another matter", () => {
      expect(told("name: cka\nlanguage: kr\nends: tomorrow\nseats: 30\ninstructorKeyPath: /nowhere/id.pub", roster)).toEqual({
        told: [
          "7 faults in class.yaml and roster.csv; nothing was touched:",
          expect.stringMatching(/^class\.yaml:2: language: /),
          expect.stringMatching(/^class\.yaml:3: ends: /),
          expect.stringMatching(/^class\.yaml:4: seats: is no setting/),
          expect.stringMatching(/^class\.yaml:5: instructorKeyPath: the key \/nowhere\/id\.pub cannot be read \(ENOENT\)/),
          ...inRoster,
          inSettings,
        ],
        isReachable: true,
        sound: ["s01"],
      });
    });

    test.each([
      ["the name", "name: CKA", 1],
      ["a slip of the name", "nam: cka", 2],
      ["the key with which they are reached", "name: cka\ncluster: { ssh: { privateKeyPath: /nowhere/id } }", 1],
    ])("and no machine is reached where it is wrong in %s", (_, klass, inClass) => {
      const { told: lines, isReachable } = told(klass, roster);
      expect(isReachable).toBe(false);
      expect(lines.slice(1, 1 + inClass).every((line) => line.startsWith("class.yaml:"))).toBe(true);
      expect(lines.slice(1 + inClass)).toEqual([...inRoster, inSettings]);
    });

    test.each([
      ["the shape", "name: cka\nshape: 2", 1],
      ["a slip of the shape", "name: cka\nshap: 1+1", 1],
      ["a setting that stands beside cluster and belongs into it", "name: cka\nssh: { user: ops }", 1],
      ["the clusters' settings", "name: cka\nlanguage: kr\ncluster: { kubernetesVersion: '1.20', endpoint: x, ssh: { privateKeyPath: /nowhere/id } }", 4],
      ["YAML", "name: cka\ncluster: { ssh: {", 2],
    ])("but for those that only settings tell, where it is wrong in %s", (_, klass, inClass) => {
      const { told: lines, isReachable } = told(klass, roster);
      expect(isReachable).toBe(false);
      expect(lines.slice(1, 1 + inClass).every((line) => line.startsWith("class.yaml:"))).toBe(true);
      expect(lines.slice(1 + inClass)).toEqual(inRoster);
    });

    test("with nothing in the roster that is a fault only because of one in the class file", () => {
      // Two machines each, and a port: neither shape nor port is told wrongly where another setting beside them is wrong.
      const pairs = "student,machines\ns01,192.0.2.11 192.0.2.12:2222\ns02,192.0.2.12 192.0.2.13";
      const inPairs = ["roster.csv:3:2: 192.0.2.12 is s01's already (line 2); each machine belongs to one student"];
      for (const klass of ["shap: 1+1", "shape: 2+0"]) expect(told(`name: cka\n${klass}\ncluster: { ssh: { port: 2222, usr: ops } }`, pairs).told.slice(3)).toEqual(inPairs);
      // Nobody knows which roster is meant.
      for (const setting of ["rooster: students.csv", "roster: 5"]) expect(told(`name: cka\n${setting}`, roster).told).toHaveLength(2);
    });

    test("with a login that is taken, also beside other faults", () => {
      expect(told("name: cka\nlogin: edu\nlanguage: kr\ncluster: { logins: [{ name: edu, authorizedKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGfh] }] }", "student,machines\ns01,192.0.2.11").told.slice(2)).toEqual([
        expect.stringMatching(/^class\.yaml:4: cluster\.logins\.0\.name: edu is the students' own login/),
      ]);
    });
  });

  test("files that are not there", () => {
    const path = join(directory, "class.yaml");
    expect(loadClassroom(path)).toMatchObject({ students: [], faults: [{ file: path, reason: expect.stringMatching(/^cannot be read \(ENOENT\)\. Next: copy examples\/class\.yaml/) }] });
    writeFileSync(path, "name: cka\nroster: students.csv\nlanguage: kr");
    expect(loadClassroom(path).faults).toMatchObject([
      { file: path, line: 3 },
      { file: join(directory, "students.csv"), reason: expect.stringMatching(/^cannot be read \(ENOENT\)/) },
    ]);
  });
});
