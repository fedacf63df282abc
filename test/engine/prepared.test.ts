import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

const byHand = { role: "control-plane", version: "1.37.1", certificate: "", since: 1_766_000_000, namespaces: 6, pods: 14 } as const;

let site: Site;
let stack: Stack;
let cp1: ScriptedMachine;

// No machine is dead here: who is slow is waited for.
const ssh = { user: "ops", privateKeyEnv: "TEST_SSH_KEY", connectTimeoutSeconds: 30 };

beforeAll(async () => {
  site = new Site();
  cp1 = await site.machine("cp1", "10.0.0.11");
  stack = await new Stack(site).open(configOf(site, [cp1], { ssh, prepareTo: "runtime" }));
  await stack.up();
});

beforeEach(() => site.journal.clear());

afterAll(async () => {
  stack.close();
  await site.close();
});

describe("machines that are only prepared", () => {
  test("have the stages up to there, and neither control plane nor kubeconfig", async () => {
    expect([...cp1.stages]).toEqual(["claim", "kernel", "container-runtime", "names"]);
    expect([...stack.state.keys()].filter((name) => /control-plane|flannel/.test(name))).toEqual([]);
    expect(Object.keys(JSON.parse(await stack.succeed("stack", "output", "--json")))).toEqual(["endpoint", "kubernetesVersion"]);
    await stack.succeed("up", "--yes", "--expect-no-changes");
  });

  test("keep what somebody makes on them by hand; it is wiped by word only, after it is told", async () => {
    const nothing = await stack.cli(["wipe", "cp1", "--stack", "test", "--yes"]);
    expect(nothing.output).toContain("On cp1 there is nothing that somebody made by hand.");
    cp1.byHand = byHand;
    await stack.succeed("up", "--yes", "--expect-no-changes");
    const asked = await stack.cli(["wipe", "cp1", "--stack", "test"]);
    expect(asked.exitCode).toBe(1);
    expect(asked.output).toMatch(/On cp1 \(127\.0\.0\.1\) there is a control plane of Kubernetes 1\.37\.1, .* 6 namespaces, 14 pods\.\nAll of it goes/);
    expect(asked.output).toContain("add --yes");
    expect((await stack.cli(["wipe", "cp9", "--stack", "test"])).output).toContain("The stack has no machine cp9: its machines are cp1.");
    expect(site.journal.all).toEqual([]);
    const wiped = await stack.cli(["wipe", "cp1", "--stack", "test", "--yes"]);
    expect(wiped.exitCode, wiped.output).toBe(0);
    expect(site.journal.all).toEqual(["cp1: reset remove"]);
    expect(cp1.byHand).toBeNull();
  });

  test("of which somebody else has one are not wiped", async () => {
    cp1.owner = "school/tuesday/lab";
    const { exitCode, output } = await stack.cli(["wipe", "cp1", "--stack", "test", "--yes"]);
    cp1.owner = "pulumi-kubeadm/test/test";
    expect(exitCode).toBe(1);
    expect(output).toContain("cp1 belongs to school/tuesday/lab, not to pulumi-kubeadm/test/test: nothing was done.");
  });

  test("go on to a cluster when they are to, but not over one that was made by hand", async () => {
    cp1.byHand = byHand;
    stack.configure(configOf(site, [cp1], { ssh }));
    const refused = await stack.fail("up", "--yes", "--skip-preview");
    expect(refused).toMatch(/cp1: somebody has made a cluster on it by hand: .*\[MadeByHand\]/);
    expect(refused).not.toContain("REFUSED");
    expect(site.journal.all).toEqual([]);
    cp1.byHand = null;
    await stack.up();
    expect(site.journal.of("cp1")).toEqual(["kubernetes-packages apply", "control-plane apply", "node cp1 apply", "flannel apply"]);
  });

  test("are given back clean with what somebody made on them by hand", async () => {
    cp1.byHand = byHand;
    await stack.succeed("destroy", "--yes", "--skip-preview");
    expect(cp1.isBare).toBe(true);
  });
});
