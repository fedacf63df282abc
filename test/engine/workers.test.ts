import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

const stages = ["claim", "kernel", "container-runtime", "kubernetes-packages", "names"];
const applied = stages.map((stage) => `${stage} apply`);
const removed = stages.toReversed().map((stage) => `${stage} remove`);

let site: Site;
let stack: Stack;
let cp1: ScriptedMachine;
let w1: ScriptedMachine;
let w2: ScriptedMachine;

beforeAll(async () => {
  site = new Site();
  cp1 = await site.machine("cp1", "10.0.0.11");
  w1 = await site.machine("w1", "10.0.0.21");
  w2 = await site.machine("w2", "10.0.0.22");
  stack = await new Stack(site).open(configOf(site, [cp1, w1, w2]));
  await stack.up();
});

beforeEach(() => site.journal.clear());

afterAll(async () => {
  stack.close();
  await site.close();
});

describe("a preview shows what is done to a worker, and nothing else", () => {
  /** What would be done to the resources, as `update w1-worker`. Preflight keeps the settings, so it is updated whatever changes in them. */
  async function planned(worker: object): Promise<string[]> {
    stack.configure({ ...configOf(site, [cp1, w1, w2]), workers: [worker, w2.settings] });
    const lines = (await stack.succeed("preview")).matchAll(/^ (?:~|\+-|\+|-) +\S+ (\S+) (\w+)/gm);
    const changes = [...lines].map(([, name, operation]) => `${operation} ${name}`);
    expect(changes).toContain("update test-preflight");
    return changes.filter((change) => change !== "update test-preflight");
  }

  test("of other labels: its Worker alone", async () => {
    expect(await planned({ ...w1.settings, labels: { disk: "ssd" } })).toEqual(["update w1-worker"]);
  });

  test("of another machine in its place: its stages and its Worker, all anew", async () => {
    const next = await site.machine("w1", "10.0.0.21", "another w1");
    const changes = await planned({ ...next.settings, hostKey: next.shell.hostKey });
    expect(changes).toEqual([...stages, "worker"].map((part) => `replace w1-${part}`));
    expect(site.journal.all).toEqual([]);
  });
});

describe("a worker that leaves the settings", () => {
  test("is drained and its node deleted, its machine reset, and its stages undone in reverse order", async () => {
    stack.configure(configOf(site, [cp1, w1]));
    await stack.succeed("up", "--yes");
    expect(site.journal.of("w2")).toEqual(["reset remove", ...removed]);
    expect(site.journal.inTurn(["cp1", "drain w2"], ["cp1", "node w2 remove"], ["w2", "reset remove"], ["w2", "names remove"])).toBe(true);
    expect(w2.isBare).toBe(true);
    expect([...cp1.cluster!.nodes]).toEqual(["cp1", "w1"]);
    // The others lose its name from /etc/hosts, and nothing else happens to them.
    expect(site.journal.of("w1")).toEqual(["names apply"]);
    expect(site.journal.of("cp1").filter((what) => what !== "node cp1 apply")).toEqual(["names apply", "drain w2", "node w2 remove"]);
  });
});

describe("another machine in a worker's place", () => {
  /** Puts a machine with another host key into the settings. */
  function takeIn(next: ScriptedMachine): void {
    stack.configure({ ...configOf(site, [cp1, next]), workers: [{ ...next.settings, hostKey: next.shell.hostKey }] });
  }

  test("comes after the old one has left the cluster and is given back", async () => {
    const next = await site.machine("w1", "10.0.0.21");
    takeIn(next);
    await stack.succeed("up", "--yes");
    // Both go by the same name.
    expect(site.journal.of("w1")).toEqual(["reset remove", ...removed, ...applied, "worker apply"]);
    expect(site.journal.inTurn(["cp1", "node w1 remove"], ["w1", "reset remove"], ["w1", "claim remove"], ["w1", "claim apply"])).toBe(true);
    expect(w1.isBare).toBe(true);
    expect(next.joined).toBe(cp1.cluster);
    expect([...cp1.cluster!.nodes]).toEqual(["cp1", "w1"]);
  });

  test("at the same address, as after a new installation, leaves nothing to give back there, and is prepared", async () => {
    const old = site.machines.at(-1)!;
    await old.shell.stop();
    const next = await site.machine("w1", "10.0.0.21");
    await next.shell.stop();
    await next.shell.start(old.shell.port);
    takeIn(next);
    const output = await stack.succeed("up", "--yes");
    expect(output).toMatch(/warning: w1 is not given back: .* shows another host key than the one that is known/);
    expect(site.journal.of("w1")).toEqual([...applied, "worker apply"]);
    expect(site.journal.inTurn(["cp1", "node w1 remove"], ["w1", "claim apply"], ["w1", "worker apply"])).toBe(true);
    expect(next.joined).toBe(cp1.cluster);
    expect([...cp1.cluster!.nodes]).toEqual(["cp1", "w1"]);
  });
});
