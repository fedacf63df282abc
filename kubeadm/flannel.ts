import type * as inputs from "@pulumi/kubernetes/types/input.js";
import { stringify } from "yaml";
import type { ClusterSettings } from "./settings.ts";

type Flannel = ClusterSettings["flannel"];

const namespace = "kube-flannel";
const app = { app: "flannel" };

/** flannel serves /healthz and /readyz here, on the host's network: the port must be free on every node. */
export const healthPort = 8081;

/** kube-proxy's healthzBindAddress, by default: answers well once its rules are set up (kubeproxy.config.k8s.io/v1alpha1). */
const kubeProxyHealthPort = 10256;

/**
 * flannel's objects as YAML, for a server-side apply: vxlan over the interface that has the node's cluster address.
 * What flannel itself asks for is read from its release: https://github.com/flannel-io/flannel/blob/v0.28.9/Documentation/kubernetes.md
 *
 * @param podSubnet the pods' network, the same that kubeadm gave the controller manager
 */
export function flannelManifest(flannel: Flannel, podSubnet: string): string {
  const objects: object[] = [
    privilegedNamespace,
    serviceAccount,
    clusterRole,
    clusterRoleBinding,
    configuration(flannel, podSubnet),
    daemonSet(flannel),
  ];
  return objects
    .map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join("---\n");
}

// flannel works on the host's network and links, which the other Pod Security levels forbid.
const privilegedNamespace: inputs.core.v1.Namespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
};

const serviceAccount: inputs.core.v1.ServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "flannel", namespace },
};

/** It reads its own pod to learn its node, watches the nodes' pod networks, and writes its address into its node's annotations. */
const clusterRole: inputs.rbac.v1.ClusterRole = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "flannel" },
  rules: [
    { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
    { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
    { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
  ],
};

const clusterRoleBinding: inputs.rbac.v1.ClusterRoleBinding = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "flannel" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "flannel" },
  subjects: [{ kind: "ServiceAccount", name: "flannel", namespace }],
};

const configurationName = "kube-flannel-cfg";

function configuration({ vxlanPort, mtu }: Flannel, podSubnet: string): inputs.core.v1.ConfigMap {
  const cni = {
    name: "cbr0",
    cniVersion: "0.3.1",
    plugins: [
      // hairpinMode lets a pod reach itself through its Service.
      { type: "flannel", delegate: { hairpinMode: true, isDefaultGateway: true } },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
  const network = {
    Network: podSubnet,
    Backend: { Type: "vxlan", Port: vxlanPort, ...(mtu && { MTU: mtu }) },
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: configurationName, namespace, labels: app },
    data: { "cni-conf.json": json(cni), "net-conf.json": json(network) },
  };
}

/** A directory or file of the node: the name of its volume, its path, and where the containers see it (the same by default). */
const hostPaths = {
  run: { path: "/run/flannel" },
  "cni-plugin": { path: "/opt/cni/bin" },
  cni: { path: "/etc/cni/net.d" },
  "xtables-lock": { path: "/run/xtables.lock", type: "FileOrCreate" },
} satisfies Record<string, inputs.core.v1.HostPathVolumeSource>;

const mount = (name: keyof typeof hostPaths): inputs.core.v1.VolumeMount => ({
  name,
  mountPath: hostPaths[name].path,
});
const configurationMount: inputs.core.v1.VolumeMount = {
  name: "configuration",
  mountPath: "/etc/kube-flannel",
};

function daemonSet(flannel: Flannel): inputs.apps.v1.DaemonSet {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "kube-flannel-ds", namespace, labels: app },
    spec: {
      selector: { matchLabels: app },
      template: {
        // A pod reads its configuration once, at its start: a changed one must bring new pods.
        metadata: {
          labels: app,
          annotations: {
            "pulumi-kubeadm/network": `vxlan port ${flannel.vxlanPort} mtu ${flannel.mtu ?? "auto"}`,
          },
        },
        spec: {
          nodeSelector: { "kubernetes.io/os": "linux" },
          hostNetwork: true,
          priorityClassName: "system-node-critical",
          // A node is NotReady until its pod network is there, so whatever taints it has must not keep flannel away.
          tolerations: [{ operator: "Exists" }],
          serviceAccountName: "flannel",
          initContainers: [waitForServices(flannel), installPlugin(flannel)],
          containers: [daemon(flannel)],
          volumes: [
            ...Object.entries(hostPaths).map(([name, hostPath]) => ({ name, hostPath })),
            { name: "configuration", configMap: { name: configurationName } },
          ],
        },
      },
    },
  };
}

/**
 * flanneld asks the API by its Service. Before kube-proxy has set that up, its first packet would leave by the default route, and the
 * connection would stay lost, while the node is taken for ready: half a minute until flanneld gives up and is started anew. BusyBox is
 * in flannel's image, as its base is Alpine.
 */
const waitForServices = ({ image }: Flannel): inputs.core.v1.Container => ({
  name: "wait-for-kube-proxy",
  image,
  command: ["busybox", "sh", "-c", `until busybox wget -q -T 2 -O /dev/null http://127.0.0.1:${kubeProxyHealthPort}/healthz; do sleep 1; done`],
});

const installPlugin = ({ cniPluginImage }: Flannel): inputs.core.v1.Container => ({
  name: "install-cni-plugin",
  image: cniPluginImage,
  command: ["cp", "-f", "/flannel", `${hostPaths["cni-plugin"].path}/flannel`],
  volumeMounts: [mount("cni-plugin")],
});

/**
 * The CNI configuration comes when the plugin can work with it: as soon as it is there, containerd takes the node for ready, and pods come.
 * The first of them would fail without the subnet that flanneld writes down, and be tried again only after a dozen seconds.
 */
const installConfiguration: inputs.core.v1.LifecycleHandler = {
  exec: {
    command: [
      "busybox",
      "sh",
      "-c",
      `until [ -s ${hostPaths.run.path}/subnet.env ]; do busybox sleep 0.2; done; ` +
        `exec /opt/bin/install-conf ${configurationMount.mountPath}/cni-conf.json ${hostPaths.cni.path}/10-flannel.conflist`,
    ],
  },
};

const daemon = ({ image }: Flannel): inputs.core.v1.Container => ({
  name: "kube-flannel",
  image,
  command: ["/opt/bin/flanneld"],
  args: [
    "--ip-masq",
    "--kube-subnet-mgr",
    // An address is as good as a name here. The kubelet's node-ip is the cluster address, and the pod sees it as its host's IP.
    "--iface=$(NODE_ADDRESS)",
    `--healthz-port=${healthPort}`,
  ],
  env: [
    { name: "NODE_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
    { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
  ],
  ports: [{ name: "healthz", containerPort: healthPort, protocol: "TCP" }],
  lifecycle: { postStart: installConfiguration },
  livenessProbe: {
    httpGet: { path: "/healthz", port: "healthz" },
    initialDelaySeconds: 10,
    periodSeconds: 30,
  },
  readinessProbe: {
    httpGet: { path: "/readyz", port: "healthz" },
    initialDelaySeconds: 5,
    periodSeconds: 10,
  },
  resources: { requests: { cpu: "100m", memory: "50Mi" } },
  securityContext: { privileged: false, capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
  volumeMounts: [mount("run"), mount("cni"), configurationMount, mount("xtables-lock")],
});

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
