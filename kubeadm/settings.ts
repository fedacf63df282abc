import { z } from "zod";
import { crossFaults } from "./cross-checks.ts";
import { defaults } from "./defaults.ts";
import * as field from "./fields.ts";
import { closestTo } from "./suggestion.ts";
import { kubernetesVersion, newestMinor } from "./versions.ts";

/** An object whose unknown keys are refused, each with the key that was probably meant. */
function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? (issue.keys as string[]).map((key) => unknownKey(key, Object.keys(shape))).join("\n")
        : undefined,
  });
}

function unknownKey(key: string, known: string[]): string {
  const meant = closestTo(key, known);
  return `is no setting${meant ? `; did you mean ${meant}?` : "."} Known here: ${known.join(", ")}`;
}

const credentials = {
  /** Path of the private key on the operator's computer; a leading `~` is the home directory. Default: none. */
  privateKeyPath: field.text.optional(),
  /** NAME of an environment variable that holds the text of the private key. Default: none. */
  privateKeyEnv: field.environmentName.optional(),
  /** NAME of an environment variable that holds the passphrase of the private key. Default: the key has none. */
  passphraseEnv: field.environmentName.optional(),
  /** Take keys from the ssh-agent at SSH_AUTH_SOCK. Default: true when no private key is given. */
  agent: z.boolean().optional(),
};

/** Fills in the agent's default; which credentials go together is checked in cross-checks.ts. */
function withAgent<T extends { privateKeyPath?: string; privateKeyEnv?: string; agent?: boolean }>(ssh: T) {
  return {
    ...ssh,
    agent: ssh.agent ?? (ssh.privateKeyPath === undefined && ssh.privateKeyEnv === undefined),
  };
}

const bastionSchema = section({
  /** SSH address of the bastion. */
  host: field.host,
  /** SSH port. Default: 22. */
  port: field.port.default(defaults.sshPort),
  /** SSH user. Default: root. */
  user: field.text.default("root"),
  /** Host key or fingerprint that the bastion must show. Default: as `ssh.hostKeys` says. */
  hostKey: field.hostKey.optional(),
  ...credentials,
}).transform(withAgent);

const sshSchema = section({
  /** User on the machines; needs sudo unless it is root. Default: root. */
  user: field.text.default("root"),
  /** SSH port. Default: 22. */
  port: field.port.default(defaults.sshPort),
  ...credentials,
  /**
   * Where the machines' host keys come from. `pin` trusts a key at the first contact, shows its fingerprint and holds the machine
   * to it ever after; `known_hosts` trusts only what is in that file. A `hostKey` given for a machine always wins. Default: pin.
   */
  hostKeys: z.enum(["known_hosts", "pin"]).default("pin"),
  /** File of known host keys on the operator's computer. Default: ~/.ssh/known_hosts. */
  knownHostsPath: field.text.default("~/.ssh/known_hosts"),
  /** Machine through which all the others are reached. Default: none. */
  bastion: bastionSchema.optional(),
  /** NAME of an environment variable that holds the sudo password. Default: sudo asks for none, or the user is root. */
  sudoPasswordEnv: field.environmentName.optional(),
  /**
   * Public keys of yours that go into a file of root's for the user with whom the machines are reached: that way in stays when somebody
   * removes or overwrites ~/.ssh. Default: none.
   */
  authorizedKeys: z.array(field.publicKey).default([]),
  /** Seconds to wait for a connection. Default: 30. */
  connectTimeoutSeconds: z
    .int("must be a whole number")
    .min(1, "must be 1 to 600")
    .max(600, "must be 1 to 600")
    .default(30),
}).transform(withAgent);

const taintSchema = section({
  /** Key, as example.com/dedicated. */
  key: field.qualifiedName,
  /** Value. Default: empty. */
  value: field.labelValue.optional(),
  /** What happens to pods that do not tolerate the taint. */
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

const machineSchema = section({
  /** Name of the node: an RFC 1123 label, unique in the cluster. It need not be the machine's host name. */
  name: field.labelName,
  /** SSH address: an IP address or a DNS name. */
  host: field.host,
  /** SSH port of this machine. Default: `ssh.port`. */
  port: field.port.optional(),
  /** SSH user of this machine. Default: `ssh.user`. */
  user: field.text.optional(),
  /** Host key, `ssh-ed25519 AAAA…`, or fingerprint, `SHA256:…`, that the machine must show. Default: as `ssh.hostKeys` says. */
  hostKey: field.hostKey.optional(),
  /**
   * IPv4 address inside the cluster: of the apiserver, etcd, kubelet and flannel, on an interface of the machine.
   * Default: `host` when that is an IPv4 address, else required.
   */
  clusterAddress: field.address.optional(),
  /** Labels of the node. Default: none. */
  labels: z.record(field.qualifiedName, field.labelValue).default({}),
  /** Taints of the node, besides the one that kubeadm gives a control plane beside workers. Default: none. */
  taints: z.array(taintSchema).default([]),
}).transform((machine) => ({ ...machine, clusterAddress: machine.clusterAddress ?? machine.host }));

const loginSchema = section({
  /** The user. One who is not there is made, and removed again with the home directory; one who was there keeps all that there was. */
  name: field.userName,
  /** Public keys that open it, besides those in its own ~/.ssh. */
  authorizedKeys: z.array(field.publicKey).min(1, "must name at least one key: nobody logs in with a password"),
  /** Whether sudo lets the user do everything without a password. Default: false. */
  sudo: z.boolean().default(false),
});

/** One apt repository, with the place of its key when only its address is given. */
function repositorySchema(official: { url: string; suite: string; components: string[]; keyFile: string }) {
  return section({
    /** Address; may contain {minor} (1.37), {os} (debian, ubuntu) and {codename} (trixie). */
    url: field.webAddress.default(official.url),
    /** Suite; may contain {codename}; `/` for a flat repository, as pkgs.k8s.io is. */
    suite: field.text.default(official.suite),
    /** Components; empty for a flat repository. */
    components: z.array(field.text).default(official.components),
    /** Where the repository's public key is fetched from. Default: beside the repository, as its upstream has it. */
    keyUrl: field.webAddress.optional(),
    /** Text of the armored public key, instead of fetching it. Default: fetched. */
    key: z
      .string()
      .includes("-----BEGIN PGP PUBLIC KEY BLOCK-----", "must be the text of an armored OpenPGP public key")
      .optional(),
    /** Fingerprint that the key must have; spaces are allowed. Required when the key is fetched over plain http. Default: none. */
    keyFingerprint: z
      .string()
      .transform((value) => value.replaceAll(" ", "").toUpperCase())
      .pipe(
        z
          .string()
          .regex(/^([0-9A-F]{40}|[0-9A-F]{64})$/, "must be the whole fingerprint, 40 hexadecimal digits"),
      )
      .optional(),
  }).transform((repository) => ({
    ...repository,
    ...(repository.key === undefined && {
      keyUrl: repository.keyUrl ?? `${repository.url.replace(/\/+$/, "")}/${official.keyFile}`,
    }),
  }));
}

const mirrorSchema = section({
  /** Addresses that are asked in this order, as http://10.0.0.1:5000. */
  endpoints: z.array(field.webAddress).min(1, "must name at least one address"),
  /** Text (PEM) of the CA that signed the endpoints' certificates. Default: the machine's own CAs. */
  ca: z.string().includes("-----BEGIN CERTIFICATE-----", "must be the text of a PEM certificate").optional(),
  /** Ask the upstream registry too when no endpoint has the image. Default: false, as a closed network needs it. */
  fallback: z.boolean().default(false),
});

/** How far machines are prepared, each with all before it. */
export const preparations = ["bare", "runtime", "packages", "cluster"] as const;

/** One of them. */
export type Preparation = (typeof preparations)[number];

/** Whether the first goes at least as far as the second. */
export const reaches = (preparation: Preparation, other: Preparation): boolean => preparations.indexOf(preparation) >= preparations.indexOf(other);

const clusterSchema = section({
  /** Name of the cluster: an RFC 1123 label. Default: kubernetes, as kubeadm's clusterName. */
  name: field.labelName.default("kubernetes"),
  /** `1.37` for the newest patch in the repository when the cluster is made, or `1.37.1`. Default: the newest supported minor. */
  kubernetesVersion: kubernetesVersion.default(newestMinor),
  /**
   * How far it goes: the whole cluster, or machines that are prepared and on which somebody goes on by hand. `bare` takes the machines
   * and changes nothing on them; `runtime` prepares kernel and containerd; `packages` installs kubelet, kubeadm and kubectl too.
   * Default: cluster.
   */
  prepareTo: z.enum(preparations, "must be bare, runtime, packages or cluster").default("cluster"),
  /** How the machines are reached. Default: as root on port 22 with the ssh-agent. */
  ssh: sshSchema.prefault({}),
  /** Machines of the control plane: 1, 3 or 5. More than one need `endpoint.vip` or `endpoint.external`. */
  controlPlanes: z.array(machineSchema),
  /** Machines that only run pods. Default: none; then the control plane runs pods. */
  workers: z.array(machineSchema).default([]),
  /** Users who can log in to every machine, with keys only. Default: none. */
  logins: z.array(loginSchema).default([]),
  /** Name and port of the API, in certificates and on every node from the first day, so that control planes can come and go. */
  endpoint: section({
    /** DNS name; the kit maps it on every node, no DNS server needs it. Default: kubernetes-api.internal (.internal is for private use). */
    name: field.dnsName.default(defaults.endpointName),
    /** Port of the apiserver. Default: 6443, as kubeadm's bindPort. */
    port: field.port.default(6443),
    /**
     * IPv4 address in the control planes' network that no machine has: keepalived keeps it on one of them whose apiserver is ready.
     * With one control plane too, so that clients notice nothing when there are more one day. Default: none.
     */
    vip: field.fixedAddress.optional(),
    /**
     * Balancer that somebody else keeps in front of the control planes: its IPv4 address; or its DNS name, which is `name` then and
     * which the machines resolve themselves. Default: none.
     */
    external: field.addressOrName.optional(),
  }).prefault({}),
  /** The store of the cluster's state, which kubeadm runs on each control plane. */
  etcd: section({
    /**
     * Directory on the control planes for the snapshot that is taken before every change of membership. Default:
     * /var/lib/pulumi-kubeadm/snapshots, which goes away when the machine is given back; any other directory stays.
     */
    snapshotDirectory: field.absoluteDirectory.default(defaults.snapshotDirectory),
    /**
     * Milliseconds without a word from its leader after which etcd elects another one; a tenth of it is the interval of the heartbeats.
     * On slow or shared machines a longer one keeps etcd from electing whenever a machine is busy, and a dead leader is missed for up to
     * twice as long. 1000 to 10000, as controller manager and scheduler give up after 10 s without a write. It cannot be changed later.
     * Default: 1000, as etcd.
     * https://etcd.io/docs/v3.6/tuning/#time-parameters
     */
    electionTimeoutMilliseconds: z.int("must be a whole number").min(1000, "must be 1000 to 10000").max(10_000, "must be 1000 to 10000").default(1000),
  }).prefault({}),
  /** Networks inside the cluster. They cannot be changed later. */
  network: section({
    /** Pods' network; each node takes a /24 of it. Default: 10.244.0.0/16, as flannel's manifest. */
    podSubnet: field.network.default(defaults.podSubnet),
    /** Services' network, /12 to /28. Default: 10.96.0.0/12, as kubeadm. */
    serviceSubnet: field.network.default(defaults.serviceSubnet),
    /** DNS domain of the cluster. Default: cluster.local, as kubeadm. */
    dnsDomain: field.dnsName.default("cluster.local"),
  }).prefault({}),
  /** How kube-proxy directs Services. nftables needs a kernel of at least 5.13. Default: iptables. */
  kubeProxyMode: z.enum(["iptables", "nftables"]).default("iptables"),
  /** The pod network's software. */
  flannel: section({
    /** Image of flanneld. Default: the release that the kit was tested with. */
    image: field.image.default("ghcr.io/flannel-io/flannel:v0.28.9"),
    /** Image that brings flannel's CNI plugin. Default: the one that flannel v0.28.9's own manifest names. */
    cniPluginImage: field.image.default("ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3"),
    /** UDP port between nodes. Default: 8472, as Linux' vxlan. */
    vxlanPort: field.port.default(8472),
    /** MTU of the pod network, in bytes. Default: that of the cluster address's interface less vxlan's 50. */
    mtu: z
      .int("must be a whole number")
      .min(576, "must be 576 to 65535")
      .max(65535, "must be 576 to 65535")
      .optional(),
  }).prefault({}),
  /** Where packages come from. */
  packages: section({
    /** kubeadm, kubelet, kubectl, cri-tools, kubernetes-cni. Default: pkgs.k8s.io. */
    kubernetes: repositorySchema({
      url: "https://pkgs.k8s.io/core:/stable:/v{minor}/deb/",
      suite: "/",
      components: [],
      keyFile: "Release.key",
    }).prefault({}),
    /** containerd.io, 2.x. Default: download.docker.com. */
    containerd: repositorySchema({
      url: "https://download.docker.com/linux/{os}",
      suite: "{codename}",
      components: ["stable"],
      keyFile: "gpg",
    }).prefault({}),
  }).prefault({}),
  /** Where kubeadm takes its images from. Default: registry.k8s.io. */
  imageRepository: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)*$/,
      "must be a registry with an optional path, as registry.k8s.io, without https://",
    )
    .default("registry.k8s.io"),
  /** Mirrors by registry host, as registry.k8s.io or registry.example.com:5000. Default: none. */
  registryMirrors: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9.-]*(:\d+)?$/, "must be a registry's host, as registry.k8s.io"),
      mirrorSchema,
    )
    .default({}),
  /** Names of checks, the kit's and kubeadm's, whose faults are accepted. Default: none. `all` is refused. */
  ignorePreflightErrors: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be the name of a check, as NumCPU")
        .refine(
          (name) => name.toLowerCase() !== "all",
          "must name single checks: all would also accept the faults that nobody thought of",
        ),
    )
    .default([]),
});

/** The settings at the top. */
export const settingNames: readonly string[] = Object.keys(clusterSchema.shape);

/** How machines are reached, with the defaults filled in. No secret is in it: only paths and names of environment variables. */
export type SshSettings = z.output<typeof sshSchema>;
/** One machine, with the defaults filled in. */
export type MachineSettings = z.output<typeof machineSchema>;
/** A user who can log in to every machine, with the defaults filled in. */
export type LoginSettings = z.output<typeof loginSchema>;
/** One apt repository, with the defaults filled in: either `key` or `keyUrl` is there. */
export type RepositorySettings = z.output<ReturnType<typeof repositorySchema>>;
/** Mirrors of one image registry. */
export type RegistryMirror = z.output<typeof mirrorSchema>;
/** The whole configuration, validated, with the defaults filled in. Validating it again gives the same. */
export type ClusterSettings = z.output<typeof clusterSchema>;
/** The configuration as users write it: what has a default may be left out. */
export type SettingsInput = z.input<typeof clusterSchema>;

/** A fault of the configuration. */
export interface SettingFault {
  /** Where, as `controlPlanes[0].host`; empty for the whole. */
  readonly path: string;
  /** What is wrong and what is wanted. */
  readonly reason: string;
}

/** Checks that other folders know. */
export interface InjectedChecks {
  /** Says why a control plane must not have that many machines; undefined when it may (quorum/sizes.ts). */
  controlPlaneSize?(machines: number): string | undefined;
}

/**
 * Validates the configuration and fills in the defaults. Pure: no file, variable or machine is looked at.
 *
 * @returns the settings, or every fault at once
 */
export function parseSettings(
  raw: unknown,
  checks: InjectedChecks = {},
): { settings?: ClusterSettings; faults: SettingFault[] } {
  const parsed = clusterSchema.safeParse(raw, { error: plainWords });
  const faults = [
    ...(parsed.error?.issues ?? []).flatMap(faultsOf),
    ...crossFaults(raw, checks).map(({ path, reason }) => ({ path: pathText(path), reason })),
  ];
  return faults.length === 0 ? { settings: parsed.data!, faults } : { faults };
}

function faultsOf(issue: z.core.$ZodIssue): SettingFault[] {
  if (issue.code === "unrecognized_keys") {
    const reasons = issue.message.split("\n");
    return issue.keys.map((key, i) => ({ path: pathText([...issue.path, key]), reason: reasons[i]! }));
  }
  // A record's key that breaks the rules says why in an issue of its own.
  const reason = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ path: pathText(issue.path), reason }];
}

const kinds: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of settings",
  record: "a group of settings",
};

/** Says in plain words what zod says in its own. */
function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type" && issue.input === undefined) return "is required";
  if (issue.code === "invalid_type")
    return `must be ${kinds[issue.expected] ?? issue.expected}${issue.expected === "string" && typeof issue.input === "number" ? ": put it in quotes" : ""}`;
  if (issue.code === "invalid_value") return `must be one of ${issue.values.join(", ")}`;
  return undefined;
}

/** A path as people write it: `controlPlanes[0].host`. Keys that are no plain words stand in quotes. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) =>
      typeof part === "number"
        ? `[${part}]`
        : /^\w+$/.test(String(part))
          ? `.${String(part)}`
          : `["${String(part)}"]`,
    )
    .join("")
    .replace(/^\./, "");
}
