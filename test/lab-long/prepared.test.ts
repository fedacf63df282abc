import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import * as lab from "../../lab/api.ts";
import { clusterConfig } from "../../lab/cluster.ts";
import { machineNamed } from "../../lab/machines.ts";
import { openProject, projectDirectory, type LabProject } from "../../lab/pulumi.ts";
import { prepareSite, serveSite } from "../../lab/site.ts";
import { versions } from "../../lab/versions.ts";
import { sudo } from "../lab/machine.ts";

// A class whose students make their clusters by hand, on machines that are prepared up to the container runtime. The tests are the
// chapters of one day.
const machines = ["cp1", "w1"];
const [cp, worker] = machines as [string, string];

let home: string;
let project: LabProject;

const classroom = (...args: readonly string[]) => project.run("node", ["classroom/main.ts", ...args, "--class", join(home, "class.yaml")]);

/** Standard output of a command that must succeed. */
async function told(machine: string, command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sudo(machine, command);
  expect(exitCode, `${machine}: ${command}: ${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

/** What the kubeadm page tells a student to type on machines that have a container runtime. */
async function byHand(): Promise<void> {
  await Promise.all(machines.map((machine) => told(machine, "apt-get -qq update && apt-get -qq install --yes kubelet kubectl")));
  const init = `kubeadm init --kubernetes-version ${versions.kubernetes} --pod-network-cidr 10.244.0.0/16 --apiserver-advertise-address ${machineNamed(cp).address} --ignore-preflight-errors NumCPU,SystemVerification`;
  await told(cp, init);
  const join = await told(cp, "kubeadm token create --print-join-command 2>/dev/null");
  await told(worker, `${join} --ignore-preflight-errors NumCPU,SystemVerification`);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-prepared-"));
  await lab.down();
  const site = await prepareSite({ silent: true });
  await serveSite(site);
  await lab.up(machines);
  const { controlPlanes: _, workers: __, ...cluster } = clusterConfig({ controlPlanes: [cp], workers: [worker] }, site.www);
  writeFileSync(join(home, "class.yaml"), stringify({ name: "by-hand", shape: "1+1", cluster: { ...cluster, prepareTo: "runtime" } }));
  writeFileSync(join(home, "roster.csv"), `student,machines\ns01,${machines.map((name) => machineNamed(name).address).join(" ")}\n`);
  project = openProject(home, site.tools);
});

afterAll(async () => {
  rmSync(join(projectDirectory, "Pulumi.by-hand-s01.yaml"), { force: true });
  rmSync(home, { recursive: true, force: true });
  await lab.down();
});

describe("a student who makes the cluster by hand", () => {
  test("finds machines that are prepared for it", async () => {
    const up = await classroom("up");
    expect(up.exitCode, up.output).toBe(0);
    expect(up.output).toContain("prepared: runtime");
    await byHand();
    const status = await classroom("status");
    expect(status.output).toMatch(/by hand/);
    console.log(status.output);
  });

  test("keeps it when the class is brought up again", async () => {
    const up = await classroom("up");
    expect(up.exitCode, up.output).toBe(0);
    expect(await told(cp, "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o name")).toBe(`node/${cp}\nnode/${worker}`);
  });

  test("starts anew after a reset, which says what was there", async () => {
    const reset = await classroom("reset", "s01", "--yes");
    console.log(reset.output);
    expect(reset.exitCode, reset.output).toBe(0);
    expect(reset.output).toMatch(/made by hand: a control plane of Kubernetes/);
    expect(reset.output).toMatch(/made by hand: a worker of Kubernetes/);
    for (const machine of machines) expect((await sudo(machine, "ls /etc/kubernetes/*.conf /var/lib/etcd/member")).stdout).toBe("");
    await byHand();
  });

  test("gives back machines that are as they were", async () => {
    const down = await classroom("down", "--yes");
    console.log(down.output);
    expect(down.output).toMatch(/made by hand: a control plane of Kubernetes/);
    expect(down.output).toMatch(/^s01 .*as before$/m);
    expect(down.exitCode, down.output).toBe(0);
  });
});
