import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as lab from "../../lab/api.ts";
import { checkPods } from "../../lab/check-pods.ts";
import { clusterConfig } from "../../lab/cluster.ts";
import { machineNamed } from "../../lab/machines.ts";
import { openStack, projectDirectory, type LabStack } from "../../lab/pulumi.ts";
import { prepareSite, serveSite, type Site } from "../../lab/site.ts";
import type { Fingerprint } from "../../machine/fingerprint.ts";
import { differences, fingerprint } from "../lab/fingerprint.ts";
import { sudo } from "../lab/machine.ts";

// Machines as clouds and colleagues hand them over: behind a bastion that alone knows their names, with swap, with a cloud-init that
// writes /etc/hosts anew at every start, and some with faults. The tests are the chapters of one story.
const cp = "cp1";
const workers = ["w1", "w2"];
const machines = [cp, ...workers];
const bastion = "w4";

/** The name that only the bastion can resolve. */
const inside = (name: string) => `${name}.inside`;

const swapOn = "fallocate -l 256M /swapfile && chmod 600 /swapfile && mkswap -q /swapfile && swapon /swapfile && echo '/swapfile none swap sw 0 0' >> /etc/fstab";

/** cloud-init as a cloud's image has it, with no cloud behind it, and so that it leaves the lab's own network and keys alone. */
const cloudInit = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq install --yes --no-install-recommends cloud-init
cat > /etc/cloud/cloud.cfg.d/90-lab.cfg <<END
datasource_list: [None]
manage_etc_hosts: true
preserve_hostname: true
ssh_deletekeys: false
network: {config: disabled}
users: []
END`;

/** A user who may log in and nothing else. */
const guest = "guest";
const addGuest = `useradd --create-home ${guest} && install -d -m 700 -o ${guest} -g ${guest} /home/${guest}/.ssh && install -m 600 -o ${guest} -g ${guest} ~ops/.ssh/authorized_keys /home/${guest}/.ssh/`;

let site: Site;
let home: string;
let stack: LabStack;
const before: Record<string, Fingerprint> = {};

function config(workers: readonly string[], more: Record<string, unknown> = {}): Record<string, unknown> {
  const { ssh, ...rest } = clusterConfig({ controlPlanes: [cp], workers: [...workers] }, site.www);
  const { user, privateKeyPath } = ssh as { user: string; privateKeyPath: string };
  const machine = (name: string) => ({ name, host: inside(name), clusterAddress: machineNamed(name).address, hostKey: lab.sshTarget(name).hostKey });
  return {
    ...rest,
    ssh: { user, privateKeyPath, bastion: { host: machineNamed(bastion).address, user, privateKeyPath, hostKey: lab.sshTarget(bastion).hostKey } },
    controlPlanes: [machine(cp)],
    workers: workers.map(machine),
    ...more,
  };
}

async function up(): Promise<void> {
  const { exitCode, output } = await stack.run(["up", "--yes", "--skip-preview", "--non-interactive"]);
  expect(exitCode, output).toBe(0);
}

/** Standard output of a command that must succeed. */
async function told(machine: string, command: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sudo(machine, command);
  expect(exitCode, `${machine}: ${command}: ${stderr}`).toBe(0);
  return stdout;
}

const nodes = async () => (await told(cp, "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o name")).split("\n").sort();

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-handed-over-"));
  await lab.down();
  site = await prepareSite({ silent: true });
  await serveSite(site);
  await lab.up([...machines, bastion]);
  await told(bastion, machines.map((name) => `echo '${machineNamed(name).address} ${inside(name)}' >> /etc/hosts`).join(" && "));
  await told(cp, `${swapOn}\n${cloudInit}`);
  await told("w2", addGuest);
  await Promise.all(machines.map((machine) => lab.reboot(machine)));
  // The fault of this machine's image is there: what is written by hand goes with the next start.
  await told(cp, "grep -q '/swapfile' /proc/swaps && echo '192.0.2.99 by-hand' >> /etc/hosts");
  await lab.reboot(cp);
  expect((await sudo(cp, "grep by-hand /etc/hosts")).exitCode).toBe(1);
  for (const machine of machines) before[machine] = await fingerprint(machine);
  stack = await openStack("handed-over", home, site.tools);
});

afterAll(async () => {
  rmSync(join(projectDirectory, "Pulumi.handed-over.yaml"), { force: true });
  rmSync(join(projectDirectory, "not-given-back"), { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
  await lab.down();
});

describe("machines as they are handed over", () => {
  test("a full disk, an image and a version that the mirrors lack, a user without sudo: all told at once, and nothing touched", async () => {
    await told("w1", "fallocate -l $(($(df --output=avail -B1 /var | tail -1) - 1500000000)) /var/tmp/full");
    const faulty = config(workers, { kubernetesVersion: "1.37.99", flannel: { image: "ghcr.io/flannel-io/flannel:v9.9.9" } });
    stack.configure({ ...faulty, workers: (faulty.workers as { name: string }[]).map((worker) => (worker.name === "w2" ? { ...worker, user: guest } : worker)) });
    const { exitCode, output } = await stack.run(["up", "--yes", "--skip-preview", "--non-interactive"]);
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/w1: .*GB of .*GB are free on \/.*\[DiskFull\]/);
    expect(output).toMatch(/1\.37\.99.*\[KubernetesVersion\]/);
    expect(output).toMatch(/flannel:v9\.9\.9 is not in the registry.*\[ImagePull\]/);
    expect(output).toMatch(/w2: .*sudo/);
    for (const machine of machines) expect((await sudo(machine, "test -e /var/lib/pulumi-kubeadm")).exitCode).not.toBe(0);
    await told("w1", "rm /var/tmp/full");
  });

  test("one cluster through the bastion, which alone knows the machines' names", async () => {
    stack.configure(config(workers));
    await up();
    await checkPods(cp, [cp, "w1"]);
    expect(await told(cp, "tail -n +2 /proc/swaps")).toBe("");
    const again = await stack.run(["preview", "--expect-no-changes", "--non-interactive"]);
    expect(again.exitCode, again.output).toBe(0);
  });

  test("after a restart swap stays off, and the names are there though cloud-init wrote /etc/hosts anew", async () => {
    await told(cp, "echo '192.0.2.99 by-hand' >> /etc/hosts");
    await lab.reboot(cp);
    expect((await sudo(cp, "grep by-hand /etc/hosts")).exitCode).toBe(1);
    expect(await told(cp, "getent hosts kubernetes-api.internal")).toContain(machineNamed(cp).address);
    expect(await told(cp, "tail -n +2 /proc/swaps")).toBe("");
    await checkPods(cp, [cp, "w1"]);
  });

  test("a worker that leaves the settings leaves the cluster, and its machine is as it was", async () => {
    stack.configure(config(["w1"]));
    await up();
    expect(await nodes()).toEqual(["node/cp1", "node/w1"]);
    await lab.reboot("w2");
    expect(differences(before.w2!, await fingerprint("w2"))).toEqual([]);
  });

  test("destroy gives swap and cloud-init's template back", async () => {
    const { exitCode, output } = await stack.run(["destroy", "--yes", "--skip-preview", "--non-interactive"]);
    expect(exitCode, output).toBe(0);
    await Promise.all([cp, "w1"].map((machine) => lab.reboot(machine)));
    expect(await told(cp, "cat /proc/swaps")).toContain("/swapfile");
    for (const machine of [cp, "w1"]) expect(differences(before[machine]!, await fingerprint(machine))).toEqual([]);
  });
});
