import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as lab from "../../lab/api.ts";
import { floatingAddress, users } from "../../lab/machines.ts";
import { clusterConfig } from "../../lab/cluster.ts";
import { checkPods } from "../../lab/check-pods.ts";
import { openStack, projectDirectory, type LabStack } from "../../lab/pulumi.ts";
import { prepareSite, serveSite, type Site } from "../../lab/site.ts";
import type { Fingerprint } from "../../machine/fingerprint.ts";
import { sudo, until } from "./machine.ts";
import { differences, fingerprint } from "./fingerprint.ts";

// One cluster of one control plane and one worker, from bare machines to machines given back. The tests are the chapters of one
// story: each stands on the one before, and the first that fails ends it.
const cp = "cp1";
const worker = "w1";
const machines = [cp, worker];

/** The mirror has a newer revision of kubectl in a repository of its own; somebody installs it over the held one. */
const upgradeKubectl = `
echo 'deb [trusted=yes] http://10.77.0.1/kubernetes-newer/ ./' > /etc/apt/sources.list.d/newer.list
apt-get -qq update && apt-get -qq install --yes --allow-change-held-packages kubectl=1.37.1-2.1
rm /etc/apt/sources.list.d/newer.list`;

// The worker is reached as a user whose sudo asks for a password, which only this variable holds.
const admin = users.find(({ password }) => password !== undefined)!;
process.env.LAB_SUDO_PASSWORD = admin.password;

/** The stack's configuration, with these settings of the worker added. */
function config(worker: Record<string, unknown> = {}): Record<string, unknown> {
  const { ssh, workers, ...rest } = clusterConfig({ controlPlanes: [cp], workers: ["w1"] }, site.www);
  return {
    ...rest,
    ssh: { ...(ssh as object), sudoPasswordEnv: "LAB_SUDO_PASSWORD" },
    // What keepalived brings has to go again, too.
    endpoint: { vip: floatingAddress },
    workers: (workers as object[]).map((machine) => ({ ...machine, user: admin.name, ...worker })),
  };
}

let site: Site;
let home: string;
let stack: LabStack;
const before: Record<string, Fingerprint> = {};

/** Runs `pulumi up`, shows its output when it fails, and gives it back. */
async function up(...args: string[]): Promise<string> {
  const { exitCode, output } = await stack.run(["up", "--yes", "--skip-preview", "--non-interactive", ...args]);
  expect(exitCode, output).toBe(0);
  return output;
}

/** Kills a running `pulumi up` as `kill -9` does, as soon as the machine does what the command looks for. */
async function killUpWhen(machine: string, command: string): Promise<void> {
  const child = stack.start(["up", "--yes", "--skip-preview", "--non-interactive"]);
  let ended: string | undefined;
  void child.then(({ all }) => (ended = all));
  await until(1200, `${machine}: ${command}`, async () => {
    if (ended !== undefined) throw new Error(`pulumi up ended before: ${ended}`);
    return (await sudo(machine, command)).exitCode === 0;
  });
  child.kill("SIGKILL");
  await child;
  const cancel = await stack.run(["cancel", "--yes"]);
  expect(cancel.exitCode, cancel.output).toBe(0);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-story-"));
  await lab.down();
  site = await prepareSite({ silent: true });
  await serveSite(site);
  await lab.up(machines);
  // The first boot of a machine has services of its own; the last fingerprint is taken after a boot as well.
  await Promise.all(machines.map((machine) => lab.reboot(machine)));
  for (const machine of machines) before[machine] = await fingerprint(machine);
  stack = await openStack("story", home, site.tools);
  stack.configure(config());
});

afterAll(async () => {
  rmSync(join(projectDirectory, "Pulumi.story.yaml"), { force: true });
  rmSync(home, { recursive: true, force: true });
  await lab.down();
});

describe("one cluster from bare machines to machines given back", () => {
  test("a fault of any machine is told before any machine is touched, all at once", async () => {
    // What an earlier kubeadm left on one machine, and a port taken on the other.
    await sudo(worker, "mkdir -p /etc/kubernetes && echo x > /etc/kubernetes/kubelet.conf");
    await sudo(cp, "systemd-run --quiet --unit=squatter systemd-socket-activate --listen=6443 /bin/true");
    try {
      const { exitCode, output } = await stack.run(["up", "--yes", "--skip-preview", "--non-interactive"]);
      expect(exitCode).not.toBe(0);
      expect(output).toMatch(/cp1: .*6443 is in use.*\[Port-6443\]/);
      expect(output).toMatch(/w1: .*\/etc\/kubernetes\/kubelet\.conf \[ExistingCluster\]/);
      for (const machine of machines) expect((await sudo(machine, "test -e /var/lib/pulumi-kubeadm")).exitCode).not.toBe(0);
    } finally {
      await sudo(worker, "rm -rf /etc/kubernetes");
      await sudo(cp, "systemctl stop squatter");
    }
  });

  test("pulumi killed in the middle of apt: the next up goes on", async () => {
    await killUpWhen(cp, "pgrep -x dpkg");
  });

  test("pulumi killed in the middle of kubeadm init: the next up goes on, and no second kubeadm ever runs", async () => {
    await killUpWhen(cp, "pgrep -f 'kubeadm init'");
    expect((await sudo(cp, "pgrep -fc '^kubeadm init'")).stdout).toBe("1");
  });

  test("pulumi killed in the middle of a join: the next up finishes", async () => {
    await killUpWhen(worker, "pgrep -f 'kubeadm join'");
    await up();
    // kubeadm says this once per init: the one that the killed pulumi had started went on, was taken up, and no other was begun.
    expect((await sudo(cp, "grep -c 'Using Kubernetes version' /var/log/pulumi-kubeadm/control-plane.log")).stdout).toBe("1");
    expect((await sudo(worker, "grep -c 'This node has joined the cluster' /var/log/pulumi-kubeadm/worker.log")).stdout).toBe("1");
  });

  test("every node is Ready, and pods reach each other and a Service by its name", async () => {
    await checkPods(cp, [cp, worker]);
  });

  test("up again changes nothing, in seconds", async () => {
    const start = Date.now();
    const { exitCode, output } = await stack.run(["up", "--yes", "--non-interactive", "--expect-no-changes"]);
    expect(exitCode, output).toBe(0);
    expect((Date.now() - start) / 1000).toBeLessThan(120);
  });

  test("refresh shows exactly what somebody changed, and the next up repairs it", async () => {
    await sudo(cp, "sysctl -qw net.ipv4.ip_forward=0");
    await sudo(worker, "sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' /etc/containerd/config.toml");
    expect((await sudo(worker, upgradeKubectl)).exitCode).toBe(0);
    const refresh = await stack.run(["refresh", "--yes", "--skip-preview", "--non-interactive", "--diff"]);
    expect(refresh.exitCode, refresh.output).toBe(0);
    const preview = await stack.run(["preview", "--diff", "--non-interactive"]);
    const drift = preview.output.match(/"[^"]*(wanted|differs)[^"]*"/g) ?? [];
    expect(drift.sort(), preview.output).toEqual([
      expect.stringContaining("/etc/containerd/config.toml"),
      expect.stringMatching(/kubectl is 1\.37\.1-2\.1, wanted 1\.37\.1/),
      expect.stringMatching(/net\.ipv4\.ip_forward is 0, wanted 1/),
    ]);
    await up();
    expect((await sudo(cp, "sysctl -n net.ipv4.ip_forward")).stdout).toBe("1");
    expect((await sudo(worker, "grep -c 'SystemdCgroup = true' /etc/containerd/config.toml")).stdout).toBe("1");
    expect((await sudo(worker, "dpkg-query -W -f='${Version}' kubectl")).stdout).toBe("1.37.1-1.1");
    const again = await stack.run(["preview", "--refresh", "--expect-no-changes", "--non-interactive"]);
    expect(again.exitCode, again.output).toBe(0);
  });

  test("a change that would need a new cluster is refused", async () => {
    stack.configure({ ...config(), network: { podSubnet: "10.200.0.0/16" } });
    const { exitCode, output } = await stack.run(["up", "--yes", "--non-interactive"]);
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/network\.podSubnet: 10\.244\.0\.0\/16 cannot become 10\.200\.0\.0\/16/);
    stack.configure(config());
  });

  test("labels and taints follow the settings", async () => {
    const taints = [{ key: "example.com/lesson", effect: "NoSchedule" }];
    stack.configure(config({ labels: { "example.com/seat": "s07" }, taints }));
    await up();
    const node = `kubectl --kubeconfig /etc/kubernetes/admin.conf get node ${worker} -o jsonpath='{.metadata.labels.example\\.com/seat} {.spec.taints[*].key}'`;
    expect((await sudo(cp, node)).stdout).toBe("s07 example.com/lesson");
    stack.configure(config());
    await up();
    expect((await sudo(cp, node)).stdout.trim()).toBe("");
  });

  test("every machine power-cycled: the cluster is Ready again without an up", async () => {
    for (const machine of machines) await lab.powerOff(machine, { hard: true });
    await Promise.all(machines.map((machine) => lab.powerOn(machine)));
    await checkPods(cp, [cp, worker]);
  });

  test("destroy from another clone, with the worker dead, gives the control plane back", async () => {
    const clone = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-clone-"));
    try {
      cpSync(projectDirectory, clone, {
        recursive: true,
        filter: (path) => !path.includes("/node_modules") && !path.includes("/.git"),
      });
      symlinkSync(join(projectDirectory, "node_modules"), join(clone, "node_modules"));
      await lab.powerOff(worker, { hard: true });
      const refresh = await stack.run(["refresh", "--yes", "--skip-preview", "--non-interactive"], { cwd: clone });
      expect(refresh.exitCode, refresh.output).toBe(0);
      const destroy = await stack.run(["destroy", "--yes", "--skip-preview", "--non-interactive"], { cwd: clone });
      expect(destroy.exitCode, destroy.output).toBe(0);
      expect(destroy.output).toContain("w1 is not given back");
      expect(readdirSync(join(clone, "not-given-back"))).toEqual([expect.stringMatching(/^w1-/)]);

      await lab.powerOn(worker);
      const giveBack = await stack.cli(["give-back", worker], clone);
      expect(giveBack.exitCode, giveBack.output).toBe(0);
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  });

  test.each(machines)("%s is as it was", async (machine) => {
    await lab.powerOff(machine);
    await lab.powerOn(machine);
    expect(differences(before[machine]!, await fingerprint(machine))).toEqual([]);
  });
});
