import { parseSettings, type ClusterSettings } from "../../../kubeadm/settings.ts";
import type { MachineFacts } from "../../../machine/preflight/facts.ts";
import type { Observation, Surroundings } from "../../../machine/preflight/fault.ts";
import { imageProbes } from "../../../machine/preflight/registries.ts";

/** A configuration of one control plane and one worker on a closed network. */
export const settings: ClusterSettings = parseSettings({
  kubernetesVersion: "1.37.1",
  controlPlanes: [{ name: "cp1", host: "10.77.0.11" }],
  workers: [{ name: "w1", host: "10.77.0.21" }],
  registryMirrors: {
    "registry.k8s.io": { endpoints: ["http://10.77.0.1:5000"] },
    "ghcr.io": { endpoints: ["http://10.77.0.1:5000"] },
  },
}).settings!;

export const surroundings: Surroundings = { settings, owner: "kube/dev/lab" };

/** Facts of a machine fresh from its cloud, without a fault. */
export function healthy(address: string): MachineFacts {
  const last = address.split(".").at(-1)!;
  return {
    hostname: `vm-${last}`,
    os: { id: "debian", version: "13", codename: "trixie", name: "Debian GNU/Linux 13 (trixie)" },
    kernel: "6.12.101-amd64",
    architecture: "x86_64",
    systemd: true,
    cgroupControllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"],
    cpus: 2,
    memoryMegabytes: 3900,
    filesystems: ["/", "/var/lib", "/opt"].map((path) => ({
      path,
      mountPoint: "/",
      availableBytes: 15e9,
      sizeBytes: 20e9,
      options: "rw,relatime",
    })),
    machineId: `id-${last}`,
    productUuid: `uuid-${last}`,
    addresses: [
      { ifname: "lo", address: "00:00:00:00:00:00", addr_info: [{ family: "inet", local: "127.0.0.1", prefixlen: 8 }] },
      { ifname: "ens3", address: `52:54:00:00:00:${last}`, addr_info: [{ family: "inet", local: address, prefixlen: 24 }] },
    ],
    routes: [
      { dst: "default", dev: "ens3" },
      { dst: "10.77.0.0/24", dev: "ens3" },
    ],
    swaps: [],
    listeners: [{ protocol: "tcp", port: 22, process: "sshd (process 400)" }],
    nameservers: ["10.77.0.1"],
    firewall: "",
    software: [],
    cluster: [],
    leftovers: [],
    owner: "",
    joined: false,
    byHand: null,
    resetting: false,
    jobRunning: false,
    missingModules: [],
    modulesDirectory: true,
    missingTools: [],
    keepalived: false,
    endpoint: { kept: false, holder: "", resolved: [] },
    packageLock: "",
    packagesInterrupted: false,
    repositories: ["kubernetes", "containerd"].map((name) => ({
      name,
      url: `http://10.77.0.1/${name}/InRelease`,
      error: "",
    })),
    kubeadmVersions: ["1.37.0-1.1", "1.37.1-1.1"],
    web: imageProbes(settings, "1.37.1").flatMap(({ urls }) =>
      urls.map((url) => ({ url, status: 200, error: "" })),
    ),
    clock: { start: 1000.1, end: 1001.1 },
  };
}

const observe = (
  role: Observation["role"],
  machine: Observation["machine"],
  more: Partial<MachineFacts>,
): Observation => ({
  machine,
  role,
  facts: { ...healthy(machine.clusterAddress), ...more },
  sent: 1000,
  received: 1001.2,
});

/** What came of looking at the control plane. */
export const controlPlane = (more: Partial<MachineFacts> = {}): Observation =>
  observe("control-plane", settings.controlPlanes[0]!, more);

/** What came of looking at the worker. */
export const worker = (more: Partial<MachineFacts> = {}): Observation =>
  observe("worker", settings.workers[0]!, more);
