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

/** Runs an `up` that must not be carried out, and gives what it printed. */
async function refused(change: Record<string, unknown>, options: readonly string[] = []): Promise<string> {
  const before = stack.remembered;
  stack.configure(configOf(site, [cp1, w1], change));
  const output = await stack.fail("up", "--yes", ...options);
  expect(site.journal.all).toEqual([]);
  expect(Object.keys(stack.remembered)).toEqual(Object.keys(before));
  expect(stack.remembered).toEqual(before);
  return output;
}

describe("a change that would need another cluster", () => {
  test("of the Kubernetes minor is refused", async () => {
    const output = await refused({ kubernetesVersion: "1.36" });
    expect(output).toMatch(/kubernetesVersion: this cluster runs 1\.37\.1 and cannot become 1\.36 here: upgrades are kubeadm's/);
    expect(output).toMatch(/Next: set it back to "1\.37" or "1\.37\.1"/);
  });

  test("of the cluster's name is refused", async () => {
    const output = await refused({ name: "other" });
    expect(output).toMatch(/name: \S+ cannot become other in a running cluster/);
  });

  test("that takes out the only control plane is refused", async () => {
    const output = await refused({ controlPlanes: [] });
    expect(output).toMatch(/controlPlanes: a cluster needs a control plane: name one machine/);
  });

  test("that puts another machine under the name of the only control plane is refused: it could join only beside the old one", async () => {
    const next = await site.machine("cp1", "10.0.0.13");
    const controlPlanes = [{ ...next.settings, hostKey: next.shell.hostKey }];
    const output = await refused({ controlPlanes, endpoint: { vip: "10.0.0.10" } }, ["--skip-preview"]);
    expect(output).toMatch(/controlPlanes: another machine is to take the name cp1, and the only control plane, which has it, must stay/);
    expect(output).toMatch(/Next: give the new machine another name/);
    expect(next.isBare).toBe(true);
  });

  test("that makes a worker a control plane is refused: the worker's node would leave last, and take the control plane's with it", async () => {
    const cp3 = await site.machine("cp3", "10.0.0.14");
    const change = { controlPlanes: [cp1.settings, w1.settings, cp3.settings], workers: [], endpoint: { vip: "10.0.0.10" } };
    const output = await refused(change, ["--skip-preview"]);
    expect(output).toMatch(/w1: it is a worker, and cannot become a control plane in one step\. Next: take it out of workers/);
    expect(cp3.isBare).toBe(true);
  });

  // A preview asks every resource before any is touched; without one, what is refused late has already changed something.
  describe.each([
    { when: "with a preview", options: [] },
    { when: "without a preview", options: ["--skip-preview"] },
  ])("$when", ({ options }) => {
    test("of the networks and the API's name is refused, all at once, with the reason and the way out", async () => {
      const change = { network: { podSubnet: "10.99.0.0/16", serviceSubnet: "10.111.0.0/16" }, endpoint: { name: "api.example.com" } };
      const output = await refused(change, options);
      expect(output).toMatch(/network\.podSubnet: 10\.244\.0\.0\/16 cannot become 10\.99\.0\.0\/16 in a running cluster: every node has its part of it/);
      expect(output).toMatch(/network\.serviceSubnet: 10\.96\.0\.0\/12 cannot become 10\.111\.0\.0\/16/);
      expect(output).toMatch(/endpoint\.name: kubernetes-api\.internal cannot become api\.example\.com/);
      expect(output.match(/Next: set it back to/g)?.length).toBeGreaterThanOrEqual(3);
    });

    test("that puts another machine in the place of the only control plane, which is its own endpoint, is refused", async () => {
      const cp2 = await site.machine("cp2", "10.0.0.12");
      const output = await refused({ controlPlanes: [cp2.settings] }, options);
      expect(output).toMatch(/controlPlanes: cp2 cannot take the place of cp1: kubernetes-api\.internal stands for the address of the only control plane/);
      expect(output).toMatch(/Next: set endpoint\.vip, or endpoint\.external/);
      expect(cp2.isBare).toBe(true);
    });
  });
});
