import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execa } from "execa";
import { stringify } from "yaml";
import * as lab from "../../lab/api.ts";
import { clusterConfig } from "../../lab/cluster.ts";
import { machineNamed } from "../../lab/machines.ts";
import { openProject, projectDirectory, type LabProject } from "../../lab/pulumi.ts";
import { prepareSite, serveSite } from "../../lab/site.ts";
import { ssh } from "../../lab/api.ts";
import { sudo } from "../lab/machine.ts";

// A class of four students with one machine each, from the roster to the evening. The second machine is dead, the third lets nobody in. The
// tests are the chapters of one day.
const seats = { s01: "cp1", s02: "cp2", s03: "cp3", s04: "cp4" };
const ready = ["s01", "s04"] as const;

let home: string;
let directory: string;
let project: LabProject;

const classroom = (...args: readonly string[]) => project.run("node", ["classroom/main.ts", ...args], directory);

/** What the table at the end says of a student. */
const row = (output: string, id: string) => output.slice(output.lastIndexOf("\nstudent ")).split("\n").find((line) => line.startsWith(`${id} `));

const kubectl = (machine: string, command: string) => sudo(machine, `kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=20s ${command}`);

/** Seconds that a command on the machine took, by the line that its job wrote at its end. */
async function secondsOf(machine: string, stage: string, kubeadm: string): Promise<number> {
  const { stdout } = await sudo(machine, `cat /var/log/pulumi-kubeadm/${stage}.log`);
  const found = [...stdout.matchAll(new RegExp(`^--- .* ${kubeadm} .*: exit 0 after ([0-9.]+) s$`, "gm"))];
  return Number(found.at(-1)![1]);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-class-"));
  directory = join(home, "project");
  await lab.down();
  const site = await prepareSite({ silent: true });
  await serveSite(site);
  await lab.up(["cp1", "cp3", "cp4"]);
  await ssh(machineNamed("cp3"), "rm ~/.ssh/authorized_keys");

  mkdirSync(directory);
  cpSync(projectDirectory, directory, { recursive: true, filter: (path) => !/\/(node_modules|\.git)(\/|$)/.test(path) });
  symlinkSync(join(projectDirectory, "node_modules"), join(directory, "node_modules"));
  const { controlPlanes: _, ...shared } = clusterConfig({ controlPlanes: ["cp1"], workers: [] }, site.www);
  writeFileSync(join(directory, "class.yaml"), stringify({ name: "cka", language: "ko", cluster: { ...shared, ssh: { ...(shared.ssh as object), connectTimeoutSeconds: 15 } } }));
  const rows = Object.entries(seats).map(([id, machine]) => `${id};학생 ${id};${machineNamed(machine).address}`);
  writeFileSync(join(directory, "roster.csv"), ["student;name;machines", ...rows].join("\r\n"));
  project = openProject(home, site.tools);
});

afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await lab.down();
});

describe("a class of four on real machines, one of them dead and one with a wrong key", () => {
  test("check tells both, and up makes the other two", async () => {
    const check = await classroom("check");
    expect(check.exitCode, check.output).toBe(1);
    expect(check.output).toMatch(/^roster\.csv:3: s02: /m);
    expect(check.output).toMatch(/^roster\.csv:4: s03: .* refused every key/m);

    const up = await classroom("up");
    console.log(`${check.output}\n\n${up.output}`);
    expect(up.exitCode, up.output).toBe(1);
    for (const id of ready) expect(row(up.output, id)).toContain(" ready ");
    for (const id of ["s02", "s03"]) expect(row(up.output, id)).toContain("NOT READY");
    for (const id of ready) expect((await kubectl(seats[id], "get nodes --no-headers")).stdout).toMatch(new RegExp(`^${id} +Ready `));
  });

  test("status tells who is ready, and what is wrong with the rest", async () => {
    const { exitCode, output } = await classroom("status");
    console.log(output);
    expect(exitCode, output).toBe(1);
    expect(output).toContain("2 of 4 ready");
  });

  test("what a student is given opens the own machine and the own cluster, and nobody else's", async () => {
    /** In the folder that the student was given, with the files that are there. */
    const asStudent = (id: string, where: readonly string[], command: string, inputFile?: string) =>
      execa("ip", ["netns", "exec", lab.namespace, "ssh", "-F", "config", "-o", "BatchMode=yes", ...where, command], {
        cwd: join(directory, ".classroom/cka/handout", id),
        reject: false,
        all: true,
        ...(inputFile ? { inputFile: join(directory, ".classroom/cka/handout", id, inputFile) } : { stdin: "ignore" }),
      });
    for (const id of ready) {
      const nodes = await asStudent(id, [id], "kubectl get nodes --no-headers && sudo -n id -u");
      expect(nodes.exitCode, nodes.all).toBe(0);
      expect(nodes.stdout).toMatch(new RegExp(`^${id} +Ready [^]*\\n0$`));
    }
    const others = await asStudent("s01", ["-o", "StrictHostKeyChecking=no", machineNamed(seats.s04).address], "true");
    expect(others.all).toContain("Permission denied (publickey");
    const limited = (command: string) => asStudent("s01", ["s01"], `cat > limited && kubectl --kubeconfig limited ${command}; status=$?; rm limited; exit $status`, "limited.kubeconfig");
    const pods = await limited("get pods --all-namespaces");
    expect(pods.exitCode, pods.all).toBe(0);
    const refused = await limited("create namespace mine");
    expect(refused.all).toContain("cannot create resource");
  });

  test("a reset makes the cluster anew with the CA that it had, in little more than kubeadm init takes", async () => {
    const { cp1 } = { cp1: seats.s01 };
    const before = (await sudo(cp1, "sha256sum < /etc/kubernetes/pki/ca.crt")).stdout;
    await kubectl(cp1, "create namespace lesson");
    const reset = await classroom("reset", "s01", "--yes");
    console.log(reset.output);
    expect(reset.exitCode, reset.output).toBe(0);
    expect((await sudo(cp1, "sha256sum < /etc/kubernetes/pki/ca.crt")).stdout).toBe(before);
    expect((await kubectl(cp1, "get namespace lesson")).exitCode).not.toBe(0);
    expect((await kubectl(cp1, "get nodes --no-headers")).stdout).toMatch(/^s01 +Ready /);
    console.log(`kubeadm init of the reset: ${await secondsOf(cp1, "control-plane", "control-plane apply")} s`);
    const again = await project.run("pulumi", ["up", "--yes", "--skip-preview", "--expect-no-changes", "--non-interactive", "--stack", "cka-s01"], directory);
    expect(again.exitCode, again.output).toBe(0);
  });

  test("down gives back what answers, proves it, and is held up by nobody", async () => {
    const down = await classroom("down", "--yes");
    console.log(down.output);
    for (const id of ready) {
      expect(row(down.output, id)).toMatch(/as before$/);
      expect((await sudo(seats[id], "test -e /var/lib/pulumi-kubeadm || command -v kubeadm")).exitCode).not.toBe(0);
    }
  });
});
