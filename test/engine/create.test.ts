import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

const stages = ["claim", "kernel", "container-runtime", "kubernetes-packages", "names"];
const applied = stages.map((stage) => `${stage} apply`);

let site: Site;
let stack: Stack;
let cp1: ScriptedMachine;
let w1: ScriptedMachine;

beforeEach(async () => {
  site = new Site();
  cp1 = await site.machine("cp1", "10.0.0.11");
  w1 = await site.machine("w1", "10.0.0.21");
  stack = await new Stack(site).open(configOf(site, [cp1, w1]));
});

afterEach(async () => {
  stack.close();
  await site.close();
});

describe("the first up", () => {
  test("prepares both machines at the same time, then starts the control plane, then flannel and the worker; the second changes nothing", async () => {
    // Each waits for the other: machines that are prepared in turn would never get further.
    const held = [cp1, w1].map((machine) => machine.hold("kernel apply"));
    const up = stack.up();
    await Promise.race([Promise.all(held.map(({ begun }) => begun)), up]);
    held.forEach(({ release }) => release());
    const output = await up;

    for (const { shell } of [cp1, w1]) {
      const fingerprint = createHash("sha256").update(Buffer.from(shell.hostKey.split(" ")[1]!, "base64")).digest("base64").replace(/=+$/, "");
      expect(output).toMatch(/met for the first time.*SHA256:/);
      expect(output).toContain(`ssh-ed25519 SHA256:${fingerprint}`);
    }
    expect(site.journal.of("cp1")).toEqual([...applied, "control-plane apply", "node cp1 apply", "flannel apply", "node w1 apply"]);
    expect(site.journal.of("w1")).toEqual([...applied, "worker apply"]);
    expect(site.journal.inTurn(...applied.map((what) => ["w1", what] as const), ["cp1", "control-plane apply"], ["w1", "worker apply"])).toBe(true);
    expect(site.journal.inTurn(...applied.map((what) => ["cp1", what] as const), ["cp1", "control-plane apply"], ["cp1", "flannel apply"])).toBe(true);
    expect([...cp1.cluster!.nodes]).toEqual(["cp1", "w1"]);
    expect([...cp1.cluster!.tokens]).toEqual([]);

    site.journal.clear();
    await stack.succeed("up", "--yes", "--expect-no-changes");
    await stack.succeed("preview", "--expect-no-changes");
    expect(site.journal.all).toEqual([]);
  });
});

describe("a stage that fails", () => {
  const output = ["Err:1 https://download.docker.com trixie InRelease", "!!! containerd.io could not be installed", ">>> open the way to download.docker.com"];

  test("is told with machine, stage, cause, evidence, log and next step; the next up goes on from there, also after a refresh", async () => {
    cp1.failNext("container-runtime apply", output);
    // The engine indents what a resource says.
    const message = (await stack.failingUp()).replace(/^[\s*]+/gm, "");
    expect(message).toContain(
      [
        "cp1: container-runtime: containerd.io could not be installed",
        "Err:1 https://download.docker.com trixie InRelease",
        "Log on cp1: /var/log/pulumi-kubeadm/container-runtime.log",
        "Next: open the way to download.docker.com",
      ].join("\n"),
    );
    expect(stack.state.get("cp1-container-runtime")?.outputs?.status).toBe("partial");
    expect(stack.state.get("cp1-kernel")?.outputs?.status).toBe("ok");
    expect(stack.state.has("cp1-kubernetes-packages")).toBe(false);
    expect(site.journal.of("cp1")).toEqual(["claim apply", "kernel apply", "container-runtime apply"]);

    await stack.succeed("refresh", "--yes", "--skip-preview");
    site.journal.clear();
    await stack.up();
    expect(site.journal.of("cp1").slice(0, 4)).toEqual(["container-runtime apply", "kubernetes-packages apply", "names apply", "control-plane apply"]);
    expect(stack.state.get("cp1-container-runtime")?.outputs?.status).toBe("ok");
  });

  test("is undone by destroy", async () => {
    cp1.failNext("container-runtime apply", output);
    await stack.failingUp();
    site.journal.clear();
    await stack.succeed("destroy", "--yes", "--skip-preview");
    expect(site.journal.of("cp1")).toEqual(["container-runtime remove", "kernel remove", "claim remove"]);
    expect(cp1.isBare && w1.isBare).toBe(true);
  });
});
