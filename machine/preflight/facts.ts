import { z } from "zod";
import type { ClusterSettings } from "../../kubeadm/settings.ts";
import { isPatch, minorOf } from "../../kubeadm/versions.ts";
import { byHandSchema } from "../by-hand.ts";
import { imageProbes } from "./registries.ts";

const texts = z.array(z.string());

/** What scripts/preflight.sh prints. Only the parts that the rules read of what `ip -j` prints are named. */
const factsSchema = z.object({
  hostname: z.string(),
  /** Of /etc/os-release; texts are empty where it has none. */
  os: z.object({ id: z.string(), version: z.string(), codename: z.string(), name: z.string() }),
  /** Kernel release, as `6.12.101-amd64`. */
  kernel: z.string(),
  /** As `uname -m` says: x86_64, aarch64. */
  architecture: z.string(),
  systemd: z.boolean(),
  /** Controllers of cgroup v2; null where it is not mounted. */
  cgroupControllers: texts.nullable(),
  cpus: z.number(),
  /** In MiB, of what the kernel has to give (MemTotal). */
  memoryMegabytes: z.number(),
  /** The file systems under the paths that fill; several paths may share one. */
  filesystems: z.array(
    z.object({
      path: z.string(),
      mountPoint: z.string(),
      availableBytes: z.number(),
      sizeBytes: z.number(),
      options: z.string(),
    }),
  ),
  machineId: z.string(),
  /** Empty where the firmware has none. */
  productUuid: z.string(),
  addresses: z.array(
    z.object({
      ifname: z.string().default(""),
      address: z.string().default(""),
      addr_info: z
        .array(z.object({ family: z.string().optional(), local: z.string().optional(), prefixlen: z.number().optional() }))
        .default([]),
    }),
  ),
  routes: z.array(z.object({ dst: z.string().default(""), dev: z.string().default("") })),
  swaps: texts,
  listeners: z.array(z.object({ protocol: z.string(), port: z.number(), process: z.string() })),
  nameservers: texts,
  firewall: z.enum(["", "ufw", "firewalld"]),
  /** Other runtimes and other Kubernetes by name. */
  software: texts,
  /** Files that only a member of a cluster has. */
  cluster: texts,
  /** Files and links that get in the way of the pod network. */
  leftovers: texts,
  /** project/stack/cluster that the machine belongs to; empty for none. */
  owner: z.string(),
  /** True when the machine is a node of a cluster; of one that was made by hand on our machine, false. */
  joined: z.boolean(),
  /** What somebody made by hand on a machine that belongs to this cluster; null for nothing. */
  byHand: byHandSchema.nullable(),
  /** True while a reset that keeps the cluster's CA has not made the machine a node again. */
  resetting: z.boolean(),
  /** True while a job of the kit runs on the machine. */
  jobRunning: z.boolean(),
  missingModules: texts,
  /** False when the running kernel's modules are gone, as after an upgrade without a restart. */
  modulesDirectory: z.boolean(),
  missingTools: texts,
  /** True when keepalived has a configuration. */
  keepalived: z.boolean(),
  /** What the machine sees of the API's address. */
  endpoint: z.object({
    /** True when its keepalived is configured for `endpoint.vip`. */
    kept: z.boolean(),
    /** MAC address of whoever else has `endpoint.vip`; empty for nobody, and where the machine's own keepalived is told of it. */
    holder: z.string(),
    /** IPv4 addresses of an `endpoint.external` that is a name. */
    resolved: texts,
  }),
  /** Who holds dpkg's or apt's lock; empty for nobody. */
  packageLock: z.string(),
  packagesInterrupted: z.boolean(),
  repositories: z.array(z.object({ name: z.string(), url: z.string(), error: z.string() })),
  /** Debian versions of kubeadm in the repository; null when they were not asked for or could not be read. */
  kubeadmVersions: texts.nullable(),
  /** Answers of registries; status 0 means none, and then error says why. */
  web: z.array(z.object({ url: z.string(), status: z.number(), error: z.string() })),
  /** The machine's clock when the script began and ended, in seconds since 1970. */
  clock: z.object({ start: z.number(), end: z.number() }),
});

/** What is known of a machine before anything on it is touched. */
export type MachineFacts = z.output<typeof factsSchema>;

/**
 * Reads what scripts/preflight.sh printed.
 *
 * @throws ZodError when the document is not what the script of this version prints
 */
export const parseFacts = (document: unknown): MachineFacts => factsSchema.parse(document);

/**
 * The parameters of scripts/preflight.sh; the same for every machine.
 *
 * @param owner project/stack/cluster
 * @param kubernetesVersion the patch version that an earlier run resolved, or undefined
 */
export function preflightEnvironment(
  settings: ClusterSettings,
  owner: string,
  kubernetesVersion?: string,
): Record<string, string> {
  const version = kubernetesVersion ?? settings.kubernetesVersion;
  const { kubernetes, containerd } = settings.packages;
  const withMinor = (text: string) => text.replaceAll("{minor}", minorOf(version));
  const baseOf = ({ url, suite }: typeof kubernetes) => {
    const root = withMinor(url).replace(/\/+$/, "");
    return suite === "/" ? root : `${root}/dists/${suite}`;
  };
  const indexOf = (repository: typeof kubernetes) =>
    repository.suite === "/"
      ? `${baseOf(repository)}/Packages`
      : `${baseOf(repository)}/${repository.components[0] ?? "main"}/binary-{architecture}/Packages`;
  return {
    OWNER: owner,
    APT_FILES: [
      `kubernetes ${baseOf(kubernetes)}/InRelease`,
      `containerd ${baseOf(containerd)}/InRelease`,
    ].join("\n"),
    KUBEADM_INDEX: indexOf(kubernetes),
    WEB_ADDRESSES: [
      ...new Set(imageProbes(settings, isPatch(version) ? version : undefined).flatMap(({ urls }) => urls)),
    ].join("\n"),
    CA_CERTIFICATES: Object.values(settings.registryMirrors)
      .flatMap(({ ca }) => ca ?? [])
      .join("\n"),
    ENDPOINT_VIP: settings.endpoint.vip ?? "",
    ENDPOINT_NAME: settings.endpoint.external === settings.endpoint.name ? settings.endpoint.name : "",
  };
}
