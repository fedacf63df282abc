import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

const stages = ["claim", "kernel", "container-runtime", "kubernetes-packages", "names"];
const removed = stages.toReversed().map((stage) => `${stage} remove`);

let site: Site;
let stack: Stack;
let cp1: ScriptedMachine;
let w1: ScriptedMachine;

beforeEach(async () => {
  site = new Site();
  cp1 = await site.machine("cp1", "10.0.0.11");
  w1 = await site.machine("w1", "10.0.0.21");
  stack = await new Stack(site).open(configOf(site, [cp1, w1]));
  await stack.up();
  site.journal.clear();
});

afterEach(async () => {
  stack.close();
  await site.close();
});

describe("destroy", () => {
  test("resets the control plane first, drains no worker, and undoes each machine's stages in reverse order", async () => {
    await stack.succeed("destroy", "--yes", "--skip-preview");
    expect(site.journal.of("cp1")).toEqual(["reset remove", ...removed]);
    expect(site.journal.of("w1")).toEqual(removed);
    expect(site.journal.inTurn(["cp1", "reset remove"], ["w1", "names remove"])).toBe(true);
    expect(cp1.isBare && w1.isBare).toBe(true);
    expect(stack.state.size).toBe(0);
  });

  test("works from another checkout, goes on without a dead machine, and give-back gives that back later", async () => {
    const checkout = stack.copyProject("checkout");
    const list = join(checkout, "not-given-back");
    await stack.succeedIn(checkout, "refresh", "--yes", "--skip-preview", "--expect-no-changes");

    await w1.shell.stop();
    const output = await stack.succeedIn(checkout, "destroy", "--yes", "--skip-preview");
    expect(output).toMatch(/warning: w1 is not given back: .* refuses the connection/);
    expect(output).toContain("npx pulumi-kubeadm give-back w1");
    expect(readdirSync(list)).toEqual([expect.stringMatching(/^w1-[0-9a-f]+\.yaml$/)]);
    expect(output).toContain(`It is written to not-given-back/${readdirSync(list)[0]}.`);
    expect(site.journal.of("cp1")).toEqual(["reset remove", ...removed]);
    expect(cp1.isBare).toBe(true);
    expect(stack.state.size).toBe(0);

    const tooEarly = await stack.cli(["give-back", "w1"], checkout);
    expect(tooEarly.exitCode, tooEarly.output).toBe(1);
    expect(tooEarly.output).toContain("Still not given back: w1");
    expect(existsSync(list)).toBe(true);

    await w1.shell.start();
    // The list is the project's, wherever the operator is.
    const giveBack = await stack.cli(["give-back", "w1"], checkout, tmpdir());
    expect(giveBack.exitCode, giveBack.output).toBe(0);
    expect(site.journal.of("w1")).toEqual(["claim remove"]);
    expect(w1.isBare).toBe(true);
    expect(existsSync(list)).toBe(false);
  });
});
