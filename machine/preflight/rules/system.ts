import semver from "semver";
import type { Finding, Rule } from "../fault.ts";

/** Systems that the kit knows, by os-release's ID, with the versions that should work. */
export const supportedSystems: Record<string, readonly string[]> = {
  debian: ["12", "13"],
  ubuntu: ["22.04", "24.04", "26.04"],
};

/** Systems that the kit's own tests run on. */
export const testedSystems: readonly string[] = ["debian 13"];

const architectures = ["x86_64", "aarch64"];

/** The operating system and its version. */
export const operatingSystem: Rule = ({ facts: { os } }) => {
  if (supportedSystems[os.id]?.includes(os.version)) return [];
  return [
    {
      check: "OperatingSystem",
      found: `the system is ${os.name || "unknown (no /etc/os-release)"}`,
      why: "packages, kernel and defaults are known for Debian 12 and 13 and Ubuntu 22.04, 24.04 and 26.04 only",
      next: "install one of these, or accept the risk",
    },
  ];
};

/** apt and dpkg, which install everything. */
export const aptPresent: Rule = ({ facts: { missingTools, os } }) => {
  const missing = missingTools.filter((tool) => tool === "apt-get" || tool === "dpkg");
  if (missing.length === 0) return [];
  return [
    {
      check: "Apt",
      waivable: false,
      found: `${os.name || "the system"} has no ${missing.join(" and no ")}`,
      why: "everything is installed with apt",
      next: "install Debian or Ubuntu on the machine",
    },
  ];
};

/** Programs that the preparation runs, each with the package that brings it. */
export const tools: Rule = ({ facts: { missingTools } }) => {
  const packages: Record<string, string> = { ip: "iproute2", ss: "iproute2", modprobe: "kmod" };
  return missingTools.flatMap((tool) =>
    packages[tool]
      ? [
          {
            check: `FileExisting-${tool}`,
            found: `the program ${tool} is missing`,
            why: "the machine is looked at and prepared with it",
            next: `install it: apt-get install ${packages[tool]}`,
          },
        ]
      : [],
  );
};

/** The processor's kind. */
export const architecture: Rule = ({ facts }) =>
  architectures.includes(facts.architecture)
    ? []
    : [
        {
          check: "Architecture",
          waivable: false,
          found: `the processor is ${facts.architecture}`,
          why: `Kubernetes' packages and the pod network's images are looked for ${architectures.join(" and ")} only`,
          next: "use another machine",
        },
      ];

/** systemd as the init. */
export const systemd: Rule = ({ facts }) =>
  facts.systemd
    ? []
    : [
        {
          check: "Systemd",
          waivable: false,
          found: "systemd is not the machine's init",
          why: "kubelet and containerd are systemd units, and systemd manages their cgroups",
          next: "use a machine, not a container, with systemd",
        },
      ];

/** Controllers without which kubeadm's own SystemVerification fails (k8s.io/system-validators, DefaultSysSpec, less those that v2 has built in). */
const requiredControllers = ["cpu", "cpuset", "memory", "pids"];

/** cgroup v2 with its controllers. */
export const cgroups: Rule = ({ facts: { cgroupControllers } }): Finding[] => {
  if (cgroupControllers === null) {
    return [
      {
        check: "SystemVerification",
        found: "cgroup v2 is not mounted at /sys/fs/cgroup",
        why: "the kubelet refuses cgroup v1 since 1.35",
        next: "take systemd.unified_cgroup_hierarchy=0 and the like out of the kernel's command line, and restart the machine",
      },
    ];
  }
  const missing = requiredControllers.filter((controller) => !cgroupControllers.includes(controller));
  if (missing.length === 0) return [];
  return [
    {
      check: "SystemVerification",
      found: `the kernel offers no cgroup controller ${missing.join(", ")}`,
      why: "the kubelet limits pods with it, and kubeadm refuses a kernel without",
      next: "take cgroup_disable out of the kernel's command line, or use the distribution's own kernel",
    },
  ];
};

/** The kernel's version. */
export const kernelVersion: Rule = ({ facts }, { settings }) => {
  const version = semver.coerce(facts.kernel);
  if (!version) return [];
  const [least, why] =
    settings.kubeProxyMode === "nftables"
      ? ["5.13.0", "kube-proxy's nftables mode needs it"]
      : ["5.4.0", "kubeadm supports none that is older"];
  if (semver.gte(version, least)) return [];
  return [
    {
      check: "KernelVersion",
      found: `the kernel is ${facts.kernel}, and ${least.replace(/\.0$/, "")} is the least`,
      why,
      next:
        settings.kubeProxyMode === "nftables"
          ? "upgrade the kernel, or set kubeProxyMode to iptables"
          : "upgrade the system",
    },
  ];
};

/** Kernel modules. */
export const kernelModules: Rule = ({ facts }) => {
  if (facts.missingModules.length === 0 || facts.missingTools.includes("modprobe")) return [];
  const names = facts.missingModules.join(", ");
  const why = "containers need overlay, Services br_netfilter, and the pod network vxlan";
  if (!facts.modulesDirectory) {
    return [
      {
        check: "KernelModules",
        found: `${names} cannot be loaded: /lib/modules/${facts.kernel} is gone, as after a kernel upgrade without a restart`,
        why,
        next: "restart the machine",
      },
    ];
  }
  return [
    {
      check: "KernelModules",
      found: `the kernel ${facts.kernel} has no module ${names}`,
      why,
      next: "install the distribution's full kernel (linux-image-amd64 on Debian, linux-modules-extra on Ubuntu); containers like LXC cannot be nodes",
    },
  ];
};
