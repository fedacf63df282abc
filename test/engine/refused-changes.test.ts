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

/** What the state holds of our resources, without the provider's text and without what is encrypted anew with each writing. */
function remembered(): Record<string, object | undefined> {
  const ours = [...stack.state].filter(([, { urn }]) => urn.includes("dynamic/kubeadm:"));
  return Object.fromEntries(ours.map(([name, { outputs }]) => [name, { ...outputs, __provider: undefined, kubeconfig: undefined }]));
}

/** Runs an `up` that must not be carried out, and gives what it printed. */
async function refused(change: Record<string, unknown>, options: readonly string[] = []): Promise<string> {
  const before = remembered();
  stack.configure(configOf(site, [cp1, w1], change));
  const output = await stack.fail("up", "--yes", ...options);
  expect(site.journal.all).toEqual([]);
  expect(Object.keys(remembered())).toEqual(Object.keys(before));
  expect(remembered()).toEqual(before);
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

    test("that puts another machine in the place of the only control plane is refused", async () => {
      const cp2 = await site.machine("cp2", "10.0.0.12");
      const output = await refused({ controlPlanes: [cp2.settings] }, options);
      expect(output).toMatch(/controlPlanes: cp1 is the only control plane, and holds the cluster's data\. Next: put it back/);
      expect(cp2.isBare).toBe(true);
    });
  });
});
