import { describe, expect, it } from "vitest";
import { UnreachableError } from "../../../machine/errors.ts";
import type { MachineFacts } from "../../../machine/preflight/facts.ts";
import { faultsOf, faultText } from "../../../machine/preflight/faults.ts";
import type { Observation, Surroundings } from "../../../machine/preflight/fault.ts";
import { clockOf } from "../../../machine/preflight/rules/together.ts";
import { controlPlane, healthy, settings, surroundings, worker } from "./observation.ts";

const owner = surroundings.owner;
const ours = { owner, joined: true, repositories: [], kubeadmVersions: null, web: [] };
const filesystem = (mountPoint: string, path: string, availableBytes: number, more: object = {}) => ({
  path,
  mountPoint,
  availableBytes,
  sizeBytes: 40e9,
  options: "rw,relatime",
  ...more,
});
/** One file system for everything. */
const disk = (availableBytes: number, more: object = {}) => ({
  filesystems: ["/", "/var/lib"].map((path) => filesystem("/", path, availableBytes, more)),
});
const clash = (dst: string, dev = "tun0") => ({
  routes: [
    { dst: "default", dev: "ens3" },
    { dst, dev },
  ],
});
const listener = (port: number, protocol = "tcp") => ({
  listeners: [{ protocol, port, process: "nginx (process 7)" }],
});
const web = (status: number, error = "") => ({
  web: healthy("10.77.0.11").web.map(({ url }) => ({ url, status, error })),
});
const addresses = (...locals: string[]) => ({
  addresses: locals.map((local, i) => ({
    ifname: `eth${i}`,
    address: `02:00:00:00:00:0${i}`,
    addr_info: [{ family: "inet", local }],
  })),
});
const system = (id: string, version: string, name: string) => ({ os: { id, version, codename: "", name } });

const faults = (observations: Observation[], around: Surroundings = surroundings) =>
  faultsOf(observations, [], around).faults;
/** With some settings of the endpoint more, or others. */
const withEndpoint = (more: Partial<(typeof settings)["endpoint"]>): Surroundings =>
  withSettings({ endpoint: { ...settings.endpoint, ...more } });
/** What a machine sees of the endpoint's address. */
const seen = (more: Partial<MachineFacts["endpoint"]>) => ({
  endpoint: { kept: false, holder: "", resolved: [], ...more },
});
const withSettings = (more: Partial<typeof settings>): Surroundings => ({
  ...surroundings,
  settings: { ...settings, ...more },
});

describe("machines without a fault", () => {
  it("are fresh ones", () => {
    expect(faultsOf([controlPlane(), worker()], [], surroundings)).toEqual({
      faults: [],
      waived: [],
      notes: [],
    });
  });

  it("are nodes of this cluster, with all that Kubernetes put there", () => {
    const node: Partial<MachineFacts> = {
      ...ours,
      ...disk(6e9),
      listeners: [6443, 2379, 2380, 10250, 10257, 10259].map((port) => ({
        protocol: "tcp",
        port,
        process: "kubelet (process 1)",
      })),
      cluster: ["/etc/kubernetes/admin.conf", "/var/lib/etcd/member"],
      leftovers: ["/etc/cni/net.d/10-flannel.conflist", "/sys/class/net/cni0"],
      routes: [
        { dst: "default", dev: "ens3" },
        { dst: "10.244.0.0/24", dev: "cni0" },
        { dst: "10.244.1.0/24", dev: "flannel.1" },
      ],
      packagesInterrupted: true,
      swaps: ["/swap.img"],
    };
    expect(faultsOf([controlPlane(node), worker(ours)], [], surroundings)).toEqual({
      faults: [],
      waived: [],
      notes: [],
    });
  });

  it("are those that are only prepared, with a cluster that somebody made on them by hand", () => {
    const made = controlPlane({ ...ours, byHand: { role: "control-plane", version: "", certificate: "", since: 1, namespaces: null, pods: null } });
    expect(faultsOf([made], [], { ...surroundings, settings: { ...settings, prepareTo: "packages" } }).faults).toEqual([]);
  });

  it("are those on which a job of ours holds apt's lock", () => {
    expect(
      faults([
        controlPlane({ packageLock: "apt-get (process 9)", packagesInterrupted: true, jobRunning: true }),
      ]),
    ).toEqual([]);
  });

  it.each([
    ["debian", "12"],
    ["debian", "13"],
    ["ubuntu", "22.04"],
    ["ubuntu", "24.04"],
    ["ubuntu", "26.04"],
  ])("run %s %s", (id, version) => expect(faults([controlPlane(system(id, version, id))])).toEqual([]));

  it.each<[string, Observation]>([
    ["workers with one processor and one gigabyte", worker({ cpus: 1, memoryMegabytes: 960 })],
    ["control planes with just what kubeadm asks", controlPlane({ cpus: 2, memoryMegabytes: 1700 })],
    ["workers whose port 6443 is in use", worker(listener(6443))],
    ["those with a route to somewhere else", controlPlane(clash("172.17.0.0/16", "docker0"))],
    ["those whose registries ask for a login", controlPlane(web(401))],
  ])("are %s", (_, observation) => expect(faults([observation])).toEqual([]));
});

describe("each fault of a machine", () => {
  const waivable = true;
  const final = false;

  it.each<[string, Observation, string, boolean, string | RegExp]>([
    [
      "has a cluster that somebody made by hand",
      controlPlane({ ...ours, joined: false, byHand: { role: "worker", version: "1.36.3", certificate: "", since: Date.parse("2026-11-21T10:12:00") / 1000, namespaces: null, pods: null } }),
      "MadeByHand",
      final,
      "somebody has made a cluster on it by hand: a worker of Kubernetes 1.36.3, made 2026-11-21 10:12",
    ],
    [
      "belongs to another stack",
      controlPlane({ owner: "kube/prod/lab" }),
      "Owner",
      final,
      "the machine belongs to kube/prod/lab",
    ],
    [
      "is a node of another cluster",
      worker({ cluster: ["/etc/kubernetes/kubelet.conf"] }),
      "ExistingCluster",
      final,
      "part of another cluster: /etc/kubernetes/kubelet.conf",
    ],
    [
      "has another system",
      worker(system("fedora", "44", "Fedora Linux 44")),
      "OperatingSystem",
      waivable,
      "the system is Fedora Linux 44",
    ],
    [
      "has an old system",
      worker(system("debian", "11", "Debian GNU/Linux 11")),
      "OperatingSystem",
      waivable,
      "the system is Debian GNU/Linux 11",
    ],
    [
      "has no os-release",
      worker(system("", "", "")),
      "OperatingSystem",
      waivable,
      "the system is unknown (no /etc/os-release)",
    ],
    [
      "has no apt",
      worker({ missingTools: ["apt-get", "dpkg"] }),
      "Apt",
      final,
      "Debian GNU/Linux 13 (trixie) has no apt-get and no dpkg",
    ],
    [
      "has another processor",
      worker({ architecture: "riscv64" }),
      "Architecture",
      final,
      "the processor is riscv64",
    ],
    ["has no systemd", worker({ systemd: false }), "Systemd", final, "systemd is not the machine's init"],
    [
      "has cgroup v1",
      worker({ cgroupControllers: null }),
      "SystemVerification",
      waivable,
      "cgroup v2 is not mounted at /sys/fs/cgroup",
    ],
    [
      "lacks cgroup controllers",
      worker({ cgroupControllers: ["cpu", "memory"] }),
      "SystemVerification",
      waivable,
      "the kernel offers no cgroup controller cpuset, pids",
    ],
    [
      "has an old kernel",
      worker({ kernel: "4.19.0-21-amd64" }),
      "KernelVersion",
      waivable,
      "the kernel is 4.19.0-21-amd64, and 5.4 is the least",
    ],
    [
      "lacks a module",
      worker({ missingModules: ["vxlan"] }),
      "KernelModules",
      waivable,
      "the kernel 6.12.101-amd64 has no module vxlan",
    ],
    [
      "was not restarted after a kernel upgrade",
      worker({ missingModules: ["overlay"], modulesDirectory: false }),
      "KernelModules",
      waivable,
      "/lib/modules/6.12.101-amd64 is gone",
    ],
    [
      "lacks a program",
      worker({ missingTools: ["ip"], addresses: [], routes: [] }),
      "FileExisting-ip",
      waivable,
      "the program ip is missing",
    ],
    [
      "lacks modprobe, and so cannot tell its modules",
      worker({ missingTools: ["modprobe"], missingModules: ["vxlan"] }),
      "FileExisting-modprobe",
      waivable,
      "the program modprobe is missing",
    ],
    [
      "is a control plane with one processor",
      controlPlane({ cpus: 1 }),
      "NumCPU",
      waivable,
      "the machine has 1 processor",
    ],
    [
      "is a control plane with little memory",
      controlPlane({ memoryMegabytes: 1699 }),
      "Mem",
      waivable,
      "the machine has 1699 MB of memory, and 1700 MB is the least",
    ],
    [
      "is a worker with little memory",
      worker({ memoryMegabytes: 512 }),
      "Mem",
      waivable,
      "the machine has 512 MB of memory, and 900 MB is the least",
    ],
    ["has little room", worker(disk(8e9)), "Disk", waivable, "8.0 GB of 40.0 GB are free on /"],
    ["has no room", worker(disk(1.9e9)), "DiskFull", final, "1.9 GB of 40.0 GB are free on /"],
    [
      "has no room for packages",
      worker({ filesystems: [filesystem("/", "/", 1e9), filesystem("/var", "/var/lib", 20e9)] }),
      "DiskFull",
      final,
      "1.0 GB of 40.0 GB are free on /",
    ],
    [
      "has no room for images, which lie elsewhere",
      worker({ filesystems: [...disk(20e9).filesystems, filesystem("/data", "/var/lib/containerd", 1e9)] }),
      "DiskFull",
      final,
      "1.0 GB of 40.0 GB are free on /data",
    ],
    [
      "is a node whose disk is full",
      worker({ ...ours, ...disk(0.4e9) }),
      "DiskFull",
      final,
      "0.4 GB of 40.0 GB are free on /",
    ],
    [
      "has a disk that is nearly full",
      worker(disk(11e9, { sizeBytes: 200e9 })),
      "DiskPressure",
      waivable,
      "11.0 GB of 200.0 GB are free on /",
    ],
    [
      "runs nothing from /var",
      worker({
        filesystems: [
          filesystem("/", "/", 15e9),
          filesystem("/var", "/var/lib", 15e9, { options: "rw,nosuid,noexec" }),
        ],
      }),
      "MountOptions",
      waivable,
      "/var is mounted noexec",
    ],
    [
      "cannot be written",
      worker(disk(15e9, { options: "ro,relatime" })),
      "MountOptions",
      waivable,
      "/ is mounted ro",
    ],
    [
      "has not its cluster address",
      worker(addresses("192.0.2.7", "10.0.2.15")),
      "ClusterAddress",
      final,
      "the cluster address 10.77.0.21 is on none of its interfaces (eth0 192.0.2.7, eth1 10.0.2.15)",
    ],
    [
      "has no address at all",
      worker({ addresses: [] }),
      "ClusterAddress",
      final,
      "(none has an IPv4 address)",
    ],
    [
      "has no default route",
      worker({ routes: [{ dst: "10.77.0.0/24", dev: "ens3" }] }),
      "DefaultRoute",
      waivable,
      "there is no default route",
    ],
    [
      "reaches something in the pods' network",
      worker(clash("10.244.7.0/24")),
      "NetworkOverlap",
      waivable,
      "network.podSubnet 10.244.0.0/16 overlaps the route to 10.244.7.0/24 on tun0",
    ],
    [
      "reaches a host in the services' network",
      worker(clash("10.96.0.53")),
      "NetworkOverlap",
      waivable,
      "network.serviceSubnet 10.96.0.0/12 overlaps the route to 10.96.0.53 on tun0",
    ],
    ["has no nameserver", worker({ nameservers: [] }), "Nameserver", waivable, "no nameserver is configured"],
    [
      "asks itself for names",
      worker({ nameservers: ["127.0.0.1", "::1"] }),
      "Nameserver",
      waivable,
      "the only nameserver is 127.0.0.1, ::1, the machine itself",
    ],
    ["has docker", worker({ software: ["docker"] }), "OtherRuntime", waivable, "docker is installed"],
    ["has cri-o", worker({ software: ["cri-o"] }), "OtherRuntime", waivable, "cri-o is installed"],
    ["has k3s", worker({ software: ["k3s"] }), "OtherKubernetes", waivable, "k3s is installed"],
    [
      "has microk8s",
      worker({ software: ["microk8s"] }),
      "OtherKubernetes",
      waivable,
      "microk8s is installed",
    ],
    [
      "has leftovers of a pod network",
      worker({ leftovers: ["/etc/cni/net.d/87-podman.conflist", "/sys/class/net/cni0"] }),
      "Leftovers",
      waivable,
      "there is /etc/cni/net.d/87-podman.conflist, the link cni0",
    ],
    [
      "installs something right now",
      worker({ packageLock: "unattended-upgr (process 812)" }),
      "PackageLock",
      waivable,
      "unattended-upgr (process 812) holds the lock of apt or dpkg",
    ],
    [
      "was interrupted while it installed",
      worker({ packagesInterrupted: true }),
      "PackagesInterrupted",
      waivable,
      "dpkg was interrupted in the middle of an installation",
    ],
    [
      "does not reach a repository",
      worker({ repositories: [{ name: "containerd", url: "http://m/InRelease", error: "404  Not Found" }] }),
      "Repository",
      waivable,
      "the package repository of containerd cannot be read: 404  Not Found (http://m/InRelease)",
    ],
    [
      "does not find the version",
      worker({ kubeadmVersions: ["1.37.0-1.1"] }),
      "KubernetesVersion",
      final,
      "the package repository has kubeadm 1.37.0, not 1.37.1",
    ],
    [
      "does not find the repository's index",
      worker({ kubeadmVersions: null }),
      "KubernetesVersion",
      final,
      "index (Packages.gz or Packages) cannot be read",
    ],
  ])("that %s", (_, observation, check, mayBeWaived, found) => {
    const all = faults([observation]);
    expect(all).toMatchObject([{ machine: observation.machine.name, check, waivable: mayBeWaived }]);
    expect(all[0]!.found).toMatch(found);
    expect(all[0]!.why).toMatch(/\w{3}/);
    expect(all[0]!.next).toMatch(/\w{3}/);
  });

  it.each([6443, 2379, 2380, 10248, 10249, 10250, 10256, 10257, 10259, 8081])(
    "that has no port %i left for a control plane",
    (port) => {
      expect(faults([controlPlane(listener(port))])).toMatchObject([
        { check: `Port-${port}`, found: `tcp port ${port} is in use by nginx (process 7)` },
      ]);
    },
  );

  it.each([10248, 10249, 10250, 10256, 8081])("that has no port %i left for a worker", (port) => {
    expect(faults([worker(listener(port))])).toMatchObject([{ check: `Port-${port}` }]);
  });

  it("that has no port left for vxlan", () => {
    expect(faults([worker(listener(8472, "udp"))])).toMatchObject([
      { check: "Port-8472", found: "udp port 8472 is in use by nginx (process 7)" },
    ]);
    expect(faults([worker(listener(8472, "tcp"))])).toEqual([]);
  });

  it("that has no port left for the endpoint as configured", () => {
    const around = withSettings({ endpoint: { name: "api.internal", port: 8443 } });
    expect(faults([controlPlane(listener(8443))], around)).toMatchObject([{ check: "Port-8443" }]);
  });

  it("whose kernel is too old for nftables", () => {
    const around = withSettings({ kubeProxyMode: "nftables" });
    expect(faults([worker({ kernel: "5.10.0" })], around)).toMatchObject([
      { check: "KernelVersion", next: "upgrade the kernel, or set kubeProxyMode to iptables" },
    ]);
  });
});

describe("registries", () => {
  it("that cannot be reached are told once each", () => {
    const all = faults([worker(web(0, "Failed to connect to 10.77.0.1 port 5000"))]);
    expect(all.map(({ check }) => check)).toEqual(["Registry", "Registry"]);
    expect(all[1]!.found).toBe(
      "the registry for ghcr.io cannot be reached: http://10.77.0.1:5000/v2/flannel-io/flannel/manifests/v0.28.9: Failed to connect to 10.77.0.1 port 5000",
    );
    expect(all[1]!.next).toContain('registryMirrors["ghcr.io"]');
  });

  it("that cannot be reached are told too when only the minor was known while they were asked", () => {
    const around = { ...withSettings({ kubernetesVersion: "1.37" }), kubernetesVersion: "1.37.1" };
    const asked = { web: [{ url: "http://10.77.0.1:5000/v2/", status: 0, error: "Connection refused" }] };
    expect(faults([worker(asked)], around)).toMatchObject([
      {
        check: "Registry",
        found:
          "the registry for registry.k8s.io cannot be reached: http://10.77.0.1:5000/v2/: Connection refused",
      },
    ]);
    expect(faults([worker({ web: [{ ...asked.web[0]!, status: 404 }] })], around)).toEqual([]);
  });

  it("that fail are told with their status", () =>
    expect(faults([worker(web(503))])[0]!.found).toMatch(/manifests\/v1\.37\.1: status 503$/));

  it("that lack an image are told with its name", () => {
    const [apiserver, flannel] = healthy("10.77.0.21").web;
    expect(faults([worker({ web: [apiserver!, { ...flannel!, status: 404 }] })])).toMatchObject([
      {
        check: "ImagePull",
        found:
          "the image ghcr.io/flannel-io/flannel:v0.28.9 is not in the registry (http://10.77.0.1:5000/v2/flannel-io/flannel/manifests/v0.28.9 answers 404)",
      },
    ]);
  });

  it("are enough when one mirror of several has the image", () => {
    const mirrors = withSettings({
      registryMirrors: { "registry.k8s.io": { endpoints: ["http://a", "http://b"], fallback: false } },
    });
    const answers = (...statuses: number[]) => ({
      web: statuses.map((status, i) => ({
        url: `http://${"ab"[i]}/v2/kube-apiserver/manifests/v1.37.1`,
        status,
        error: "",
      })),
    });
    expect(faults([worker(answers(404, 200))], mirrors)).toEqual([]);
    expect(faults([worker(answers(404, 404))], mirrors)).toMatchObject([{ check: "ImagePull" }]);
  });
});

describe("the endpoint's address", () => {
  const vip = withEndpoint({ vip: "10.77.0.100" });
  const stranger = seen({ holder: "52:54:00:00:00:99" });
  const link = (prefixlen: number) => ({
    addresses: [
      {
        ifname: "ens3",
        address: "52:54:00:00:00:11",
        addr_info: [{ family: "inet", local: "10.77.0.11", prefixlen }],
      },
    ],
  });

  it("is free and in the control planes' network", () => expect(faults([controlPlane(), worker()], vip)).toEqual([]));

  it.each<[string, string, Partial<MachineFacts>, string]>([
    ["elsewhere", "10.78.0.100", {}, "10.77.0.0/24"],
    ["outside of a small network", "10.77.0.100", link(28), "10.77.0.0/28"],
    ["a network's own", "10.77.0.0", {}, "10.77.0.0/24"],
    ["everybody's", "10.77.0.255", {}, "10.77.0.0/24"],
    ["in no network, as some clouds have it", "10.77.0.100", link(32), "10.77.0.11/32"],
  ])("is %s", (_, address, more, network) => {
    expect(faults([controlPlane(more), worker()], withEndpoint({ vip: address }))).toMatchObject([
      {
        machine: "cp1",
        check: "VipNetwork",
        waivable: true,
        found: `endpoint.vip ${address} is no machine's address in ${network}, the network of its cluster address`,
      },
    ]);
  });

  it("is somebody's already, which is told once", () => {
    expect(faults([controlPlane(stranger), worker(stranger)], vip)).toMatchObject([
      { machine: "cp1", check: "VipInUse", waivable: true, found: expect.stringContaining("52:54:00:00:00:99") },
    ]);
  });

  it("is on one of the machines already", () => {
    const [loopback, ens3] = healthy("10.77.0.21").addresses;
    const both = { ...ens3!, addr_info: [...ens3!.addr_info, { family: "inet", local: "10.77.0.100", prefixlen: 32 }] };
    const holder = { addresses: [loopback!, both] };
    const sees = seen({ holder: ens3!.address });
    expect(faults([controlPlane(sees), worker(holder)], vip)).toMatchObject([{ machine: "w1", check: "VipInUse" }]);
    // Of this cluster's machines one must have it.
    expect(faults([controlPlane(sees), worker({ ...ours, ...holder })], vip)).toEqual([]);
  });

  it("is with a machine that left the settings, while others keep it already", () =>
    expect(faults([controlPlane({ ...ours, ...seen({ kept: true }) }), worker({ ...ours, ...stranger })], vip)).toEqual([]));

  it("needs keepalived for itself", () => {
    expect(faults([controlPlane({ keepalived: true })], vip)).toMatchObject([{ check: "Keepalived", waivable: false }]);
    expect(faults([controlPlane({ ...ours, keepalived: true })], vip)).toEqual([]);
    expect(faults([worker({ keepalived: true })], vip)).toEqual([]);
    expect(faults([controlPlane({ keepalived: true })])).toEqual([]);
  });

  it("is a balancer's, whose name each machine finds", () => {
    const balancer = withEndpoint({ name: "api.example", external: "api.example" });
    expect(faults([controlPlane(seen({ resolved: ["10.77.0.200"] }))], balancer)).toEqual([]);
    expect(faults([worker()], balancer)).toMatchObject([
      { machine: "w1", check: "EndpointName", found: "the machine finds no address for api.example" },
    ]);
  });
});

describe("faults of machines together", () => {
  it.each<[string, Partial<MachineFacts>, string]>([
    ["host name", { hostname: "vm-11" }, "UniqueHostname"],
    ["machine id", { machineId: "id-11" }, "UniqueMachineId"],
    ["product_uuid", { productUuid: "uuid-11" }, "UniqueProductUuid"],
    [
      "MAC address on the cluster's network",
      {
        addresses: [
          {
            ifname: "ens3",
            address: "52:54:00:00:00:11",
            addr_info: [{ family: "inet", local: "10.77.0.21" }],
          },
        ],
      },
      "UniqueMacAddress",
    ],
  ])("are the same %s", (title, more, check) => {
    const all = faults([controlPlane(), worker(more)]);
    expect(all).toMatchObject([{ machine: "w1", check, waivable: true }]);
    expect(all[0]!.found).toMatch(`it has the same ${title} as cp1: `);
  });

  it("are one machine under two names", () => {
    const second: Observation = {
      ...worker(healthy("10.77.0.11")),
      machine: { ...settings.workers[0]!, clusterAddress: "10.77.0.11" },
    };
    expect(faults([controlPlane(), second])).toMatchObject([
      {
        machine: "w1",
        check: "SameMachine",
        waivable: false,
        found: "10.77.0.21 and cp1's 10.77.0.11 are the same machine",
      },
    ]);
  });

  it("do not come from firmware without ids", () => {
    expect(faults([controlPlane({ productUuid: "" }), worker({ productUuid: "" })])).toEqual([]);
  });

  it("are clocks that are apart, told of the one that differs from this computer's", () => {
    const late = { clock: { start: 980.1, end: 981.1 } };
    expect(faults([controlPlane(late), worker()])).toMatchObject([
      { machine: "cp1", check: "ClockSkew", found: "its clock is 20 s behind w1's" },
    ]);
    const early = { clock: { start: 1020.1, end: 1021.1 } };
    expect(faults([controlPlane(), worker(early)])).toMatchObject([
      { machine: "w1", check: "ClockSkew", found: "its clock is 20 s ahead of cp1's" },
    ]);
  });

  it("do not come from this computer's own clock", () => {
    const off = { clock: { start: 9000.1, end: 9001.1 } };
    expect(faults([controlPlane(off), worker(off)])).toEqual([]);
  });

  it("do not come from a slow answer, which says little of a clock", () => {
    const slow = { ...worker({ clock: { start: 1017, end: 1018 } }), received: 1020 };
    expect(clockOf(slow)).toEqual({ offset: 7.5, uncertainty: 9.5 });
    expect(faults([controlPlane(), slow])).toEqual([]);
  });
});

describe("machines that could not be looked at", () => {
  it("are a fault each, beside those of the others", () => {
    const failure = new UnreachableError({
      machine: "w1",
      stage: "connect",
      cause: "10.77.0.21 port 22 refuses the connection",
      next: "switch the machine on.",
      evidence: "ECONNREFUSED",
    });
    const all = faultsOf(
      [controlPlane({ cpus: 1 })],
      [{ machine: "w1", error: failure }],
      surroundings,
    ).faults;
    expect(all.map(({ machine, check }) => [machine, check])).toEqual([
      ["w1", "Connection"],
      ["cp1", "NumCPU"],
    ]);
    expect(all[0]).toMatchObject({
      waivable: false,
      found: "10.77.0.21 port 22 refuses the connection\nECONNREFUSED",
      next: "switch the machine on",
    });
  });

  it("say what any other error says", () => {
    const all = faultsOf(
      [],
      [{ machine: "w1", error: new Error("sudo asks for a password.") }],
      surroundings,
    ).faults;
    expect(all[0]).toMatchObject({
      found: "sudo asks for a password",
      next: "try `ssh` to w1 with the same user and key",
    });
  });
});

describe("waivers", () => {
  const accept = (...names: string[]) => withSettings({ ignorePreflightErrors: names });

  it("accept faults by name, in any letter case, and only these", () => {
    const verdict = faultsOf([controlPlane({ cpus: 1, memoryMegabytes: 1000 })], [], accept("numcpu"));
    expect(verdict.waived.map(({ check }) => check)).toEqual(["NumCPU"]);
    expect(verdict.faults.map(({ check }) => check)).toEqual(["Mem"]);
  });

  it("do not give away another's machine or another's cluster", () => {
    const taken = [controlPlane({ owner: "x/y/z" }), worker({ cluster: ["/etc/kubernetes/admin.conf"] })];
    expect(faults(taken, accept("Owner", "ExistingCluster")).map(({ check }) => check)).toEqual([
      "Owner",
      "ExistingCluster",
    ]);
  });

  it("are offered where they help", () => {
    const [fault] = faults([controlPlane({ cpus: 1 })]);
    expect(faultText(fault!)).toBe(
      "cp1: the machine has 1 processor [NumCPU]\n" +
        "  Why: kubeadm asks two of a control plane: with one, etcd and the apiserver keep each other waiting.\n" +
        "  Next: give the machine two. Or accept it: add NumCPU to ignorePreflightErrors.",
    );
    expect(faultText(faults([controlPlane({ systemd: false })])[0]!)).not.toContain("accept it");
  });
});

describe("notes", () => {
  it.each<[string, Partial<MachineFacts>, RegExp]>([
    [
      "a system that should work",
      system("ubuntu", "24.04", "Ubuntu 24.04.3 LTS"),
      /^w1: Ubuntu 24\.04\.3 LTS should work, and is not among the tested systems \(debian 13\)\.$/,
    ],
    ["swap", { swaps: ["/swap.img", "/dev/zram0"] }, /swap on \/swap\.img, \/dev\/zram0 is turned off/],
    ["a firewall", { firewall: "ufw" }, /ufw is on: .* udp 8472\.$/],
    [
      "registries that were not asked",
      { missingTools: ["curl"], web: [] },
      /there is no curl, so the registries were not asked/,
    ],
  ])("tell of %s, and stop nothing", (_, more, note) => {
    const verdict = faultsOf([worker(more)], [], surroundings);
    expect(verdict.faults).toEqual([]);
    expect(verdict.notes).toHaveLength(1);
    expect(verdict.notes[0]).toMatch(note);
  });

  it("name VRRP where the endpoint's address moves by it", () => {
    const { notes } = faultsOf([controlPlane({ firewall: "ufw" })], [], withEndpoint({ vip: "10.77.0.100" }));
    expect(notes[0]).toMatch(/, and the control planes by VRRP \(IP protocol 112\)\.$/);
  });
});
