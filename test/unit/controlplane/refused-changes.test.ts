import { describe, expect, test } from "vitest";
import { refusedMachines, refusedSettings, type FixedParts } from "../../../controlplane/refused-changes.ts";
import { parseSettings } from "../../../kubeadm/settings.ts";

/** What cannot change of a configuration with these changes. */
function parts(changes: Record<string, unknown> = {}, machine: Record<string, unknown> = {}, hostKey = "ssh-ed25519 AAAA"): FixedParts {
  const { settings, faults } = parseSettings({ name: "lab", controlPlanes: [{ name: "cp1", host: "192.0.2.11", ...machine }], ...changes });
  if (!settings) throw new Error(JSON.stringify(faults));
  return { cluster: settings, members: settings.controlPlanes.map(({ name, clusterAddress }) => ({ name, clusterAddress, hostKey })) };
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
    ["imageRepository", { imageRepository: "registry.example.com" }],
  ])("%s is refused with its reason and the way to do it", (path, change) => {
    expect(refusedSettings(parts(), parts(change))).toEqual([expect.stringMatching(new RegExp(`^${path}: .* cannot become .*: .*\\. Next: set it back`))]);
  });

  test("several are told at once", () => {
    expect(refusedSettings(parts(), parts({ name: "other", kubeProxyMode: "nftables" }))).toHaveLength(2);
  });

  test("a new cluster address of the same machine is told, not adopted", () => {
    expect(refusedSettings(parts(), parts({}, { clusterAddress: "192.0.2.99" }))).toEqual([
      expect.stringContaining("cp1: its cluster address cannot change from 192.0.2.11 to 192.0.2.99"),
    ]);
  });

  test("another machine may not take over the only control plane's name", () => {
    expect(refusedMachines(parts(), parts({}, {}, "ssh-ed25519 BBBB"))).toEqual([expect.stringContaining("cp1: another machine")]);
  });

  test("the only control plane is not taken out", () => {
    expect(refusedMachines(parts(), parts({}, { name: "cp2" }))).toEqual([expect.stringContaining("cp1 is the only control plane")]);
  });

  test("a new SSH address, port or user, labels and taints are taken", () => {
    const moved = parts({ ssh: { user: "ops", port: 2222 } }, { host: "203.0.113.5", clusterAddress: "192.0.2.11", labels: { a: "b" } });
    expect([...refusedSettings(parts(), moved), ...refusedMachines(parts(), moved)]).toEqual([]);
  });
});
