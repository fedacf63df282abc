import { stringify } from "yaml";
import type { ClusterSettings, MachineSettings } from "./settings.ts";

/** What the documents need of the settings. `kubernetesVersion` is a whole patch version here. */
export type ClusterArguments = Pick<
  ClusterSettings,
  "name" | "kubernetesVersion" | "network" | "kubeProxyMode" | "imageRepository" | "ignorePreflightErrors"
> & { readonly endpoint: Pick<ClusterSettings["endpoint"], "name" | "port" | "vip" | "external"> };

/** What a new cluster needs besides. */
export type InitArguments = ClusterArguments & { readonly etcd: Pick<ClusterSettings["etcd"], "electionTimeoutMilliseconds"> };

/** What of a machine gets into the documents. */
export type NodeArguments = Pick<MachineSettings, "name" | "host" | "clusterAddress" | "taints">;

/** What a join is given: a bootstrap token, and the hash of the CA that the cluster must show. */
export interface JoinCredentials {
  readonly token: string;
  readonly caCertHash: string;
  /** Of a control plane: the key with which the cluster's certificates were uploaded, 32 bytes in hexadecimal. */
  readonly certificateKey?: string;
}

const kubeadmApi = "kubeadm.k8s.io/v1beta4";

/** containerd's socket. Always named, since kubeadm refuses to choose where a machine has a second runtime. */
const criSocket = "unix:///run/containerd/containerd.sock";

/** The taint that keeps pods off a control plane; kubeadm's own default when nodeRegistration.taints is left out. */
export const controlPlaneTaint: MachineSettings["taints"][number] = {
  key: "node-role.kubernetes.io/control-plane",
  effect: "NoSchedule",
};

/** Longer than kubeadm's defaults (4m, 4m, 1m, 2m, 5m, 5m): small machines with slow disks get there too. */
const timeouts = {
  controlPlaneComponentHealthCheck: "8m0s",
  kubeletHealthCheck: "8m0s",
  kubernetesAPICall: "4m0s",
  etcdAPICall: "4m0s",
  tlsBootstrap: "8m0s",
  discovery: "8m0s",
};

/**
 * kubeadm makes a token for a day when init is given none. This one names no token, so kubeadm draws one itself and nobody is
 * shown it, and the token cleaner takes it away after a minute. Skipping the phase instead would skip the RBAC rules of joins too.
 */
const initToken = {
  description: "of kubeadm init, not used",
  ttl: "1m0s",
  usages: ["signing", "authentication"],
  groups: ["system:bootstrappers:kubeadm:default-node-token"],
};

/**
 * The documents for `kubeadm init --config`, YAML.
 *
 * @param member the machine that init runs on
 * @param members all machines of the control plane: their addresses go into the apiserver's certificate
 * @param schedulable true when the control plane takes pods, because there are no workers
 */
export function initDocuments(
  cluster: InitArguments,
  member: NodeArguments,
  members: readonly NodeArguments[],
  schedulable: boolean,
): string {
  const { endpoint, network } = cluster;
  return documents(
    {
      apiVersion: kubeadmApi,
      kind: "InitConfiguration",
      bootstrapTokens: [initToken],
      localAPIEndpoint: { advertiseAddress: member.clusterAddress, bindPort: endpoint.port },
      nodeRegistration: {
        ...nodeRegistration(cluster, member),
        // An empty list says "no taints"; leaving the field out would bring kubeadm's default back.
        taints: [...(schedulable ? [] : [controlPlaneTaint]), ...member.taints],
      },
      // It prints a join command with the token into the log.
      skipPhases: ["show-join-command"],
      timeouts,
    },
    {
      apiVersion: kubeadmApi,
      kind: "ClusterConfiguration",
      clusterName: cluster.name,
      kubernetesVersion: `v${cluster.kubernetesVersion}`,
      imageRepository: cluster.imageRepository,
      controlPlaneEndpoint: `${endpoint.name}:${endpoint.port}`,
      networking: {
        podSubnet: network.podSubnet,
        serviceSubnet: network.serviceSubnet,
        dnsDomain: network.dnsDomain,
      },
      apiServer: { certSANs: certificateNames(cluster, members) },
      etcd: { local: { extraArgs: etcdTimes(cluster.etcd.electionTimeoutMilliseconds) } },
    },
    // The kubelet and containerd must agree on who manages cgroups, and on a systemd machine that is systemd.
    { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", cgroupDriver: "systemd" },
    // Named, because the default moves: 1.37 warns without it and 1.40 plans nftables (KEP-5343).
    {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      mode: cluster.kubeProxyMode,
    },
  );
}

/**
 * The documents for `kubeadm init phase upload-certs --config`, YAML. They hold a key: they go into a 0600 file and nowhere else.
 *
 * @param member the machine on which it runs
 * @param certificateKey 32 bytes in hexadecimal, made for one join
 */
export function uploadDocuments(cluster: ClusterArguments, member: NodeArguments, certificateKey: string): string {
  return documents(
    {
      apiVersion: kubeadmApi,
      kind: "InitConfiguration",
      certificateKey,
      localAPIEndpoint: { advertiseAddress: member.clusterAddress, bindPort: cluster.endpoint.port },
      nodeRegistration: nodeRegistration(cluster, member),
      timeouts,
    },
    // Without the version kubeadm would ask the internet for the newest.
    { apiVersion: kubeadmApi, kind: "ClusterConfiguration", kubernetesVersion: `v${cluster.kubernetesVersion}` },
  );
}

/**
 * The document for `kubeadm join --config`, YAML. It holds a token: it goes into a 0600 file and nowhere else.
 *
 * Labels are not in it. The kubelet may not set those of Kubernetes' own prefixes (NodeRestriction), and those that it sets at
 * each start cannot be taken away, so all labels are set from a control plane once the node is there.
 *
 * @param role what the machine becomes; a control plane that is not schedulable gets the taint of its role
 */
export function joinDocuments(
  cluster: ClusterArguments,
  machine: Omit<NodeArguments, "host">,
  credentials: JoinCredentials,
  role: "worker" | "control-plane" | "schedulable-control-plane",
): string {
  const { certificateKey } = credentials;
  return documents({
    apiVersion: kubeadmApi,
    kind: "JoinConfiguration",
    discovery: {
      bootstrapToken: {
        token: credentials.token,
        apiServerEndpoint: `${cluster.endpoint.name}:${cluster.endpoint.port}`,
        caCertHashes: [credentials.caCertHash],
      },
    },
    nodeRegistration: {
      ...nodeRegistration(cluster, machine),
      taints: [...(role === "control-plane" ? [controlPlaneTaint] : []), ...machine.taints],
    },
    ...(role !== "worker" && {
      controlPlane: { localAPIEndpoint: { advertiseAddress: machine.clusterAddress, bindPort: cluster.endpoint.port }, certificateKey },
    }),
    timeouts,
  });
}

function nodeRegistration(cluster: ClusterArguments, machine: Omit<NodeArguments, "host">) {
  return {
    name: machine.name,
    criSocket,
    // Without it the kubelet takes the address of the default route, which on machines with two networks is the wrong one.
    kubeletExtraArgs: [{ name: "node-ip", value: machine.clusterAddress }],
    ignorePreflightErrors: cluster.ignorePreflightErrors,
  };
}

/** Joins find them in the cluster: all members must have the same. */
const etcdTimes = (electionTimeout: number) => [
  { name: "heartbeat-interval", value: String(Math.round(electionTimeout / 10)) },
  { name: "election-timeout", value: String(electionTimeout) },
];

/** The names and addresses under which the apiserver is reached, besides those that kubeadm adds itself. */
function certificateNames(cluster: ClusterArguments, members: readonly NodeArguments[]): string[] {
  return [
    ...new Set([
      cluster.endpoint.name,
      // For whoever dials the address; clients of the kit check the name, so that one which comes later needs no new certificate.
      ...[cluster.endpoint.vip, cluster.endpoint.external].filter((address) => address !== undefined),
      ...members.flatMap(({ clusterAddress, host }) => [clusterAddress, host]),
      "127.0.0.1",
    ]),
  ];
}

const documents = (...parts: object[]): string =>
  parts.map((part) => stringify(part, { aliasDuplicateObjects: false })).join("---\n");
