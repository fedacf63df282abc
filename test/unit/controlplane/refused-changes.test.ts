import { describe, expect, test } from "vitest";
import { loweredPreparation, refusedSettings, renamedMachines, type Dated } from "../../../controlplane/refused-changes.ts";
import { parseSettings } from "../../../kubeadm/settings.ts";

const keyOf = (name: string) => `ssh-ed25519 ${name}`;

/** Settings with these changes; each machine shows a host key of its own, unless another one is named. */
function dated(changes: Record<string, unknown> = {}, machine: Record<string, unknown> = {}, hostKeys: Record<string, string> = {}): Dated {
  const { settings, faults } = parseSettings({ name: "lab", controlPlanes: [{ name: "cp1", host: "192.0.2.11", ...machine }], ...changes });
  if (!settings) throw new Error(JSON.stringify(faults));
  const own = [...settings.controlPlanes, ...settings.workers].map(({ name }) => [name, keyOf(name)]);
  return { settings, hostKeys: { ...Object.fromEntries(own), ...hostKeys } };
}

describe("changes that a running cluster does not take", () => {
  test.each([
    ["network.podSubnet", { network: { podSubnet: "10.200.0.0/16" } }],
    ["network.serviceSubnet", { network: { serviceSubnet: "10.97.0.0/16" } }],
    ["network.dnsDomain", { network: { dnsDomain: "lab.local" } }],
    ["endpoint.name", { endpoint: { name: "api.example.com" } }],
    ["endpoint.port", { endpoint: { port: 7443 } }],
    ["name", { name: "other" }],
    ["kubeProxyMode", { kubeProxyMode: "nftables" }],
    ["etcd.electionTimeoutMilliseconds", { etcd: { electionTimeoutMilliseconds: 5000 } }],
    ["imageRepository", { imageRepository: "registry.example.com" }],
  ])("%s is refused with its reason and the way to do it", (path, change) => {
    expect(refusedSettings(dated(), dated(change))).toEqual([expect.stringMatching(new RegExp(`^${path}: .* cannot become .*: .*\\. Next: set it back`))]);
  });

  test("several are told at once", () => {
    expect(refusedSettings(dated(), dated({ name: "other", kubeProxyMode: "nftables" }))).toHaveLength(2);
  });

  test("a new cluster address of the same control plane is told, not adopted", () => {
    expect(refusedSettings(dated(), dated({}, { clusterAddress: "192.0.2.99" }))).toEqual([
      expect.stringContaining("cp1: its cluster address cannot change from 192.0.2.11 to 192.0.2.99"),
    ]);
  });
});

describe("machines that are to be prepared less far", () => {
  const [cluster, packages, runtime] = [dated(), dated({ prepareTo: "packages" }), dated({ prepareTo: "runtime" })];

  test("keep a running cluster: it is refused with its reason and the way to do it", () => {
    expect(loweredPreparation(cluster, packages, true, {})).toEqual([expect.stringMatching(/^prepareTo: cluster cannot become packages while there is a cluster: .*Next: set it back to cluster; or, to lose it, run `pulumi destroy`/)]);
  });

  test("keep what somebody made on them by hand", () => {
    expect(loweredPreparation(packages, runtime, false, { w1: "a worker" })).toEqual([expect.stringMatching(/by hand on w1 \(a worker\).*`npx pulumi-kubeadm wipe w1`/)]);
  });

  test("are so when there is no cluster, and may be prepared further at any time", () => {
    expect(loweredPreparation(cluster, packages, false, {})).toEqual([]);
    expect(loweredPreparation(packages, cluster, false, { w1: "a worker" })).toEqual([]);
    expect(loweredPreparation(cluster, cluster, true, {})).toEqual([]);
  });
});

describe("changes that a running cluster takes", () => {
  test("a new SSH address, port or user, labels and taints", () => {
    const taints = [{ key: "example.com/gpu", effect: "NoSchedule" }];
    const moved = dated({ ssh: { user: "ops", port: 2222 } }, { host: "203.0.113.5", clusterAddress: "192.0.2.11", labels: { a: "b" }, taints });
    expect(refusedSettings(dated(), moved)).toEqual([]);
  });

  test("another machine under the name of one, at another cluster address: whether it may is the quorum's to say", () => {
    expect(refusedSettings(dated(), dated({}, { clusterAddress: "192.0.2.99" }, { cp1: keyOf("another") }))).toEqual([]);
  });

  test("an address for the API's name, so that one control plane can become three", () => {
    expect(refusedSettings(dated(), dated({ endpoint: { vip: "192.0.2.10" } }))).toEqual([]);
  });
});

describe("a machine under another name", () => {
  const worker = (name: string) => ({ workers: [{ name, host: "192.0.2.21" }] });

  test("is known by its host key, and told: a node cannot be renamed", () => {
    expect(renamedMachines(dated(worker("w1")), dated(worker("w2"), {}, { w2: keyOf("w1") }))).toEqual([
      "w2: this machine is the node w1, and a node cannot be renamed. Next: take w1 out and run `pulumi up`; then add w2 and run it again.",
    ]);
  });

  test("is told of a control plane as well", () => {
    expect(renamedMachines(dated(), dated({}, { name: "cp9" }, { cp9: keyOf("cp1") }))).toEqual([expect.stringMatching(/^cp9: this machine is the node cp1/)]);
  });

  test("is told of two that change their names with each other", () => {
    const two = (first: string, second: string) => ({ workers: [{ name: "w1", host: first }, { name: "w2", host: second }] });
    const changed = dated(two("192.0.2.22", "192.0.2.21"), {}, { w1: keyOf("w2"), w2: keyOf("w1") });
    expect(renamedMachines(dated(two("192.0.2.21", "192.0.2.22")), changed)).toEqual([
      expect.stringMatching(/^w2: this machine is the node w1/),
      expect.stringMatching(/^w1: this machine is the node w2/),
    ]);
  });

  test("is not seen in a machine that comes for one that leaves", () => {
    expect(renamedMachines(dated(worker("w1")), dated(worker("w2")))).toEqual([]);
  });

  test("is not seen where no key was known", () => {
    const before = { settings: dated(worker("w1")).settings, hostKeys: {} };
    expect(renamedMachines(before, dated(worker("w2")))).toEqual([]);
  });
});
