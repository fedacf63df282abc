import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as lab from "../../lab/api.ts";
import { clusterConfig } from "../../lab/cluster.ts";
import { floatingAddress, machineNamed } from "../../lab/machines.ts";
import { openStack, projectDirectory, type LabStack } from "../../lab/pulumi.ts";
import { prepareSite, serveSite, type Site } from "../../lab/site.ts";
import { controlPlanesReady, holders, members, voters } from "./etcd.ts";
import { sudo, until } from "./machine.ts";
import { Writer } from "./writer.ts";

// One cluster that grows, loses its first machine, gets another one in its place, and shrinks, while a client writes to it all the time.
// The tests are the chapters of one story: each stands on the one before, and the first that fails ends it.

/** A slot of the control plane: the node's name, and the machine that it is on. */
type Slots = Record<string, string>;
const three: Slots = { cp1: "cp1", cp2: "cp2", cp3: "cp3" };
/** The first slot on another machine, after the loss of its own. */
const replaced: Slots = { cp1: "cp4", cp2: "cp2", cp3: "cp3" };
const machines = ["cp1", "cp2", "cp3", "cp4"];

let site: Site;
let home: string;
let stack: LabStack;
let writer: Writer;

function config(slots: Slots): Record<string, unknown> {
  const { controlPlanes: _, ssh, ...rest } = clusterConfig({ controlPlanes: ["cp1"], workers: [] }, site.www);
  return {
    ...rest,
    // Every look at a dead machine takes so long.
    ssh: { ...(ssh as object), connectTimeoutSeconds: 15 },
    endpoint: { vip: floatingAddress },
    // A machine that takes over a name is let in by its key.
    controlPlanes: Object.entries(slots).map(([name, machine]) => ({ name, host: machineNamed(machine).address, hostKey: lab.sshTarget(machine).hostKey })),
  };
}

const upArguments = ["up", "--yes", "--skip-preview", "--non-interactive"];

/** Runs `pulumi up`, shows its output when it fails, and gives it back. */
async function up(slots: Slots): Promise<string> {
  stack.configure(config(slots));
  const { exitCode, output } = await stack.run(upArguments);
  expect(exitCode, output).toBe(0);
  return output;
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-control-planes-"));
  await lab.down();
  site = await prepareSite({ silent: true });
  await serveSite(site);
  await lab.up(machines);
  stack = await openStack("control-planes", home, site.tools);
  writer = new Writer(home, site.kubectl);
});

afterAll(async () => {
  rmSync(join(projectDirectory, "Pulumi.control-planes.yaml"), { force: true });
  rmSync(join(projectDirectory, "not-given-back"), { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
  await lab.down();
});

beforeEach(({ task }) => void (writer.chapter = task.name));

describe("a control plane that grows, loses a machine, and shrinks under a client that writes all the time", () => {
  test("one control plane answers at the floating address", async () => {
    await up({ cp1: "cp1" });
    const { output, exitCode } = await stack.run(["stack", "output", "kubeconfig", "--show-secrets"]);
    expect(exitCode).toBe(0);
    expect(output).toContain(`server: https://${floatingAddress}:6443`);
    writer.start(output);
  });

  test("1 to 3: the preview tells each step, and three voters stand at the end", async () => {
    stack.configure(config(three));
    const { output } = await stack.run(["preview", "--non-interactive"]);
    expect(output).toMatch(/cp2 .*1 -> 2.*tolerance 0/);
    expect(output).toMatch(/cp3 .*2 -> 3/);
    await up(three);
    expect(await members("cp2")).toEqual(voters("cp1", "cp2", "cp3"));
    // Neither the key to the certificates nor a token outlives the joins.
    const left = await sudo("cp1", "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get secrets -o name | grep -E 'kubeadm-certs|bootstrap-token'");
    expect(left.stdout).toBe("");
    const again = await stack.run(["up", "--yes", "--non-interactive", "--expect-no-changes"]);
    expect(again.exitCode, again.output).toBe(0);
  });

  test("a removal that would break quorum is refused, and nothing is changed", async () => {
    await lab.powerOff("cp3", { hard: true });
    // The one that is to stay is the one that is dead.
    stack.configure(config({ cp3: "cp3" }));
    const { exitCode, output } = await stack.run(upArguments);
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/controlPlanes: removing cp\d would leave 1 of 2 voters healthy, and 2 needed/);
    expect(await members("cp1")).toEqual(voters("cp1", "cp2", "cp3"));
    stack.configure(config(three));
    await lab.powerOn("cp3");
    await until(900, "all control planes", () => controlPlanesReady(Object.keys(three)));
    const untouched = await stack.run(["preview", "--expect-no-changes", "--non-interactive"]);
    expect(untouched.exitCode, untouched.output).toBe(0);
  });

  test("the first machine is lost: pulumi killed between member add and promotion, then up again, puts another one in its place", async () => {
    await lab.powerOff("cp1", { hard: true });
    stack.configure(config(replaced));
    const child = stack.start(upArguments);
    let ended: string | undefined;
    void child.then(({ all }) => (ended = all));
    await until(1800, "a learner in etcd's list", async () => {
      if (ended !== undefined) throw new Error(`pulumi up ended before: ${ended}`);
      return (await members("cp2")).some((member) => member.endsWith("learner"));
    });
    child.kill("SIGKILL");
    await child;
    const cancel = await stack.run(["cancel", "--yes"]);
    expect(cancel.exitCode, cancel.output).toBe(0);
    await up(replaced);
    expect(await members("cp2")).toEqual(voters("cp1", "cp2", "cp3"));
    const nodes = await sudo("cp2", "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.status.addresses[0].address}{\"\\n\"}{end}'");
    expect(nodes.stdout.split("\n").sort()).toEqual([`cp1 ${machineNamed("cp4").address}`, `cp2 ${machineNamed("cp2").address}`, `cp3 ${machineNamed("cp3").address}`]);
  });

  test("3 to 1: the members leave one by one, and the machines that left are bare", async () => {
    await up({ cp2: "cp2" });
    expect(await members("cp2")).toEqual(voters("cp2"));
    expect(await holders(["cp2", "cp3", "cp4"])).toEqual(["cp2"]);
    for (const machine of ["cp3", "cp4"]) {
      expect((await sudo(machine, "test -e /var/lib/pulumi-kubeadm || test -e /etc/kubernetes/pki")).exitCode).not.toBe(0);
    }
  });

  test("every write that was acknowledged is still there", async () => {
    const { acknowledged, lost, longestGaps } = await writer.stop();
    const gaps = [...longestGaps].map(([chapter, seconds]) => `${seconds.toFixed(1).padStart(6)} s  ${chapter}`);
    console.log(`${acknowledged.length} writes were acknowledged; the longest time between two:\n${gaps.join("\n")}`);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(lost).toEqual([]);
  });

  test("destroy gives the last one back", async () => {
    const { exitCode, output } = await stack.run(["destroy", "--yes", "--skip-preview", "--non-interactive"]);
    expect(exitCode, output).toBe(0);
    expect((await sudo("cp2", "test -e /var/lib/pulumi-kubeadm")).exitCode).not.toBe(0);
  });
});
