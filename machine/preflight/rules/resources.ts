import { isOurs, type Finding, type Rule } from "../fault.ts";

const gigabyte = 1e9;
const inGigabytes = (bytes: number) => `${(bytes / gigabyte).toFixed(1)} GB`;

/** Least memory by role, in MiB: kubeadm's own for control planes (constants.go, ControlPlaneMem), ours for workers. */
const leastMemory = { "control-plane": 1700, worker: 900 };

/** Room that a new node needs for packages, images and logs. */
const wantedBytes = 10 * gigabyte;
/** Below this a new node's installation cannot end. */
const leastBytesNew = 2 * gigabyte;
/** Below this a node that is installed cannot go on. */
const leastBytesInstalled = 0.5 * gigabyte;

/** Processors of a control plane (kubeadm's constants.go, ControlPlaneNumCPU). */
export const processors: Rule = ({ role, facts }) =>
  role === "worker" || facts.cpus >= 2
    ? []
    : [
        {
          check: "NumCPU",
          found: `the machine has ${facts.cpus} processor`,
          why: "kubeadm asks two of a control plane: with one, etcd and the apiserver keep each other waiting",
          next: "give the machine two",
        },
      ];

/** Memory. */
export const memory: Rule = ({ role, facts }) =>
  facts.memoryMegabytes >= leastMemory[role]
    ? []
    : [
        {
          check: "Mem",
          found: `the machine has ${facts.memoryMegabytes} MB of memory, and ${leastMemory[role]} MB is the least`,
          why:
            role === "worker"
              ? "kubelet, containerd and flannel take half of that before the first pod"
              : "kubeadm asks that of a control plane",
          next: "give the machine more memory",
        },
      ];

/** Free room where packages and images go. */
export const disk: Rule = (observation, surroundings): Finding[] => {
  const { joined, filesystems } = observation.facts;
  const ours = isOurs(observation, surroundings);
  const least = ours && joined ? leastBytesInstalled : leastBytesNew;
  // Images may have a file system of their own; they count before packages where both share one.
  const image = filesystems.filter(({ path }) => path.startsWith("/var/lib"));
  const root = filesystems.filter(
    ({ path, mountPoint }) => path === "/" && !image.some((other) => other.mountPoint === mountPoint),
  );
  return [
    ...root.flatMap((filesystem) => full(filesystem, "packages", least)),
    ...firstOfEach(image).flatMap((filesystem) => {
      const faults = full(filesystem, "images and containers", least);
      return faults.length > 0 ? faults : scarce(filesystem, ours ? 0 : wantedBytes);
    }),
  ];
};

type Filesystem = { mountPoint: string; availableBytes: number; sizeBytes: number };

const foundOn = ({ mountPoint, availableBytes, sizeBytes }: Filesystem) => ({
  found: `${inGigabytes(availableBytes)} of ${inGigabytes(sizeBytes)} are free on ${mountPoint}`,
  next: `make room, or make ${mountPoint} larger`,
});

const full = (filesystem: Filesystem, what: string, least: number): Finding[] =>
  filesystem.availableBytes >= least
    ? []
    : [
        {
          check: "DiskFull",
          waivable: false,
          ...foundOn(filesystem),
          why: `${what} go there, and less than ${inGigabytes(least)} cannot hold them`,
        },
      ];

function scarce(filesystem: Filesystem, wanted: number): Finding[] {
  if (filesystem.availableBytes < wanted) {
    return [
      {
        check: "Disk",
        ...foundOn(filesystem),
        why: `images and containers go there, and a node wants ${inGigabytes(wanted)} for them`,
      },
    ];
  }
  // The kubelet's default evictionHard has nodefs.available<10%.
  if (filesystem.availableBytes < filesystem.sizeBytes / 10) {
    return [
      {
        check: "DiskPressure",
        ...foundOn(filesystem),
        why: "the kubelet removes pods from a node with less than a tenth free",
      },
    ];
  }
  return [];
}

const firstOfEach = <T extends Filesystem>(filesystems: T[]): T[] =>
  filesystems.filter(
    ({ mountPoint }, i) => filesystems.findIndex((other) => other.mountPoint === mountPoint) === i,
  );

/** Mounts that forbid what containers do. */
export const mounts: Rule = ({ facts }): Finding[] => {
  const seen = new Set<string>();
  return facts.filesystems.flatMap(({ path, mountPoint, options }) => {
    const bad = options
      .split(",")
      .filter((option) => option === "ro" || (option === "noexec" && path !== "/"));
    if (bad.length === 0 || seen.has(mountPoint)) return [];
    seen.add(mountPoint);
    return [
      {
        check: "MountOptions",
        found: `${mountPoint} is mounted ${bad.join(" and ")}`,
        why: `programs are written to and run from ${path}`,
        next: `mount it again without (mount -o remount,${bad.includes("ro") ? "rw," : ""}exec ${mountPoint}), and so in /etc/fstab`,
      },
    ];
  });
};
