import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

let site: Site;
let stack: Stack;
let cp1: ScriptedMachine;
let w1: ScriptedMachine;

beforeAll(async () => {
  site = new Site();
  cp1 = await site.machine("cp1", "10.0.0.11");
  w1 = await site.machine("w1", "10.0.0.21");
  stack = await new Stack(site).open(configOf(site, [cp1, w1]));
  await stack.up();
});

beforeEach(() => site.journal.clear());

afterAll(async () => {
  stack.close();
  await site.close();
});

const urnOf = (name: string) => stack.state.get(name)!.urn;
const removedFrom = (machine: string) => site.journal.of(machine).filter((what) => what.endsWith(" remove"));

describe("a replacement that the operator forces", () => {
  test("undoes no stage of a running control plane's machine, and does not reset the control plane", async () => {
    const { cluster } = cp1;
    await stack.succeed("state", "taint", urnOf("cp1-container-runtime"), "--yes");
    await stack.succeed("state", "taint", urnOf("test-control-plane"), "--yes");
    const output = await stack.succeed("up", "--yes", "--skip-preview", "--replace", urnOf("cp1-kubernetes-packages"));
    expect(output).toMatch(/\+-3 replaced/);
    expect(output).toContain("cp1 is in use again: nothing is undone on it");
    expect(output).toContain("the control plane is in use: nothing is reset");
    expect(removedFrom("cp1")).toEqual([]);
    expect(cp1.cluster).toBe(cluster);
    expect([...cluster!.nodes]).toEqual(["cp1", "w1"]);
    await stack.succeed("preview", "--expect-no-changes");
  });

  test("of a worker's stage is one of the worker too: its node is drained before it is reset, and joins anew", async () => {
    const output = await stack.succeed("up", "--yes", "--skip-preview", "--replace", urnOf("w1-kubernetes-packages"));
    expect(output).toContain("Worker w1-worker replaced");
    expect(site.journal.inTurn(["cp1", "drain w1"], ["w1", "reset remove"])).toBe(true);
    expect(removedFrom("w1")).toEqual(["reset remove", "names remove"]);
    expect([...cp1.cluster!.nodes]).toEqual(["cp1", "w1"]);
    await stack.succeed("preview", "--expect-no-changes");
  });

  test("leaves a cluster that destroy gives back as ever", async () => {
    await stack.succeed("destroy", "--yes", "--skip-preview");
    expect(cp1.isBare && w1.isBare).toBe(true);
    expect(stack.state.size).toBe(0);
  });
});
