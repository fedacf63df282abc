import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

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

describe("pulumi killed in the middle of a stage", () => {
  test("leaves the job running on the machine, and the next up takes it up and finishes", async () => {
    const held = cp1.hold("container-runtime apply");
    const killed = stack.start(["up", "--yes", "--skip-preview"]);
    const endedBefore = killed.then(({ all }) => Promise.reject(new Error(`pulumi up ended before the stage began: ${all}`)));
    const job = await Promise.race([held.begun, endedBefore]);
    killed.kill("SIGKILL");
    await killed;
    expect(await stack.failingUp()).toMatch(/currently locked by 1 lock/);
    await stack.succeed("cancel", "--yes");

    const followers = job.followers;
    const up = stack.up();
    await expect.poll(() => job.followers, { timeout: 60_000 }).toBe(followers + 1);
    held.release();
    await up;
    expect(site.journal.of("cp1").filter((what) => what === "container-runtime apply")).toHaveLength(1);
    expect([...cp1.cluster!.nodes]).toEqual(["cp1", "w1"]);
    expect(stack.state.get("cp1-container-runtime")?.outputs?.status).toBe("ok");
    // The provider of the killed engine followed the job to its end, and is gone, too.
    await expect.poll(() => stack.providers, { timeout: 60_000 }).toEqual([]);
  });
});
