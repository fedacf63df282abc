import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as lab from "../../lab/api.ts";
import { controlPlanesReady, members, voters } from "../lab/etcd.ts";
import { until } from "../lab/machine.ts";
import { balance, balancer } from "./balancer.ts";
import { ControlPlanes, kubectl } from "./stack.ts";

// Three control planes behind a balancer that somebody else keeps, HAProxy. Quorum is lost for good, and recovered by the explicit command:
// from the surviving member's data, and from a snapshot.
const three = ["cp1", "cp2", "cp3"];

let cluster: ControlPlanes;

beforeAll(async () => {
  cluster = await ControlPlanes.open("lost", [...three, balancer.name], { external: balancer.address });
  await balance(three);
  await cluster.up(three);
});

afterAll(() => cluster.close());

describe("quorum that is lost", () => {
  let snapshot: string;

  test("while there is one, the balancer leads to a control plane that is ready, whoever dies", async () => {
    const throughBalancer = () => kubectl("cp1", `--server https://${balancer.address}:6443 --tls-server-name kubernetes-api.internal get --raw /readyz`);
    expect((await throughBalancer()).stdout).toBe("ok");
    await lab.powerOff("cp3", { hard: true });
    await until(120, "an answer through the balancer", async () => (await throughBalancer()).stdout === "ok");
    await lab.powerOn("cp3");
    await until(900, "all control planes", () => controlPlanesReady(three));
  });

  test("a snapshot is taken and brought here", async () => {
    await kubectl("cp1", "create configmap before-the-snapshot");
    snapshot = join(cluster.home, "etcd.db");
    const { exitCode, output } = await cluster.stack.cli(["snapshot", "--stack", "lost", "--output", snapshot]);
    expect(exitCode, output).toBe(0);
    console.log(output);
    await kubectl("cp1", "create configmap after-the-snapshot");
  });

  test("is recovered only by the explicit command, and that is refused while there is quorum", async () => {
    const { exitCode, output } = await cluster.stack.cli(["recover", "--stack", "lost", "--from", "cp1", "--yes"]);
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/quorum/);
  });

  test("up refuses and names the command", async () => {
    await Promise.all(["cp2", "cp3"].map((machine) => lab.powerOff(machine, { hard: true })));
    const { exitCode, output } = await cluster.stack.run(["up", "--yes", "--skip-preview", "--non-interactive"]);
    expect(exitCode).not.toBe(0);
    expect(output).toContain("pulumi-kubeadm recover");
  });

  test("recover goes on from the surviving member's data, and up joins the others again", async () => {
    const { exitCode, output } = await cluster.stack.cli(["recover", "--stack", "lost", "--from", "cp1", "--yes"]);
    expect(exitCode, output).toBe(0);
    console.log(output);
    expect(await members("cp1")).toEqual(voters("cp1"));
    await Promise.all(["cp2", "cp3"].map((machine) => lab.powerOn(machine)));
    await cluster.up(three);
    expect(await members("cp3")).toEqual(voters(...three));
    expect((await kubectl("cp3", "get configmap after-the-snapshot -o name")).stdout).toBe("configmap/after-the-snapshot");
  });

  test("recover from a snapshot brings back what was when it was taken", async () => {
    await Promise.all(["cp2", "cp3"].map((machine) => lab.powerOff(machine, { hard: true })));
    const { exitCode, output } = await cluster.stack.cli(["recover", "--stack", "lost", "--from", "cp1", "--snapshot", snapshot, "--yes"]);
    expect(exitCode, output).toBe(0);
    // Their old data belongs to a cluster that is no more: together they would bring it back.
    await Promise.all(["cp2", "cp3"].map((machine) => lab.reset(machine)));
    await cluster.up(three);
    expect(await members("cp3")).toEqual(voters(...three));
    expect((await kubectl("cp2", "get configmap before-the-snapshot -o name")).stdout).toBe("configmap/before-the-snapshot");
    expect((await kubectl("cp2", "get configmap after-the-snapshot -o name")).exitCode).not.toBe(0);
  });

  test("destroy gives back what answers", async () => {
    const { exitCode, output } = await cluster.stack.run(["destroy", "--yes", "--skip-preview", "--non-interactive"]);
    expect(exitCode, output).toBe(0);
  });
});
