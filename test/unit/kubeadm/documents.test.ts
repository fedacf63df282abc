import { parseAllDocuments } from "yaml";
import { describe, expect, it } from "vitest";
import { initDocuments, joinDocuments, uploadDocuments, type InitArguments } from "../../../kubeadm/documents.ts";
import { parseSettings } from "../../../kubeadm/settings.ts";

const settings = parseSettings({
  name: "lab",
  kubernetesVersion: "1.37.1",
  endpoint: { name: "api.lab.internal", port: 8443 },
  network: { podSubnet: "10.32.0.0/16", serviceSubnet: "10.64.0.0/16", dnsDomain: "lab.local" },
  kubeProxyMode: "nftables",
  imageRepository: "registry.lab/k8s",
  etcd: { electionTimeoutMilliseconds: 2500 },
  ignorePreflightErrors: ["NumCPU"],
  controlPlanes: [{ name: "cp1", host: "cp1.example", clusterAddress: "10.77.0.11" }],
  workers: [
    {
      name: "w1",
      host: "10.77.0.21",
      labels: { "node-role.kubernetes.io/worker": "" },
      taints: [{ key: "lab/gpu", value: "yes", effect: "NoSchedule" }],
    },
  ],
}).settings!;
const [member] = settings.controlPlanes;
const [worker] = settings.workers;

const documentsOf = (text: string) =>
  Object.fromEntries(parseAllDocuments(text).map((document) => [document.get("kind"), document.toJS()]));
const init = (schedulable: boolean, cluster: InitArguments = settings, machine = member!) =>
  documentsOf(initDocuments(cluster, machine, [machine], schedulable));
const credentials = { token: "abcdef.0123456789abcdef", caCertHash: `sha256:${"a".repeat(64)}` };
const certificateKey = "0123456789abcdef".repeat(4);
const join = (
  role: Parameters<typeof joinDocuments>[3],
  machine: Parameters<typeof joinDocuments>[1],
  more: Partial<Parameters<typeof joinDocuments>[2]> = {},
) => documentsOf(joinDocuments(settings, machine, { ...credentials, ...more }, role)).JoinConfiguration;

describe("kubeadm init", () => {
  it("gets one document of each kind", () => {
    expect(Object.keys(init(false))).toEqual([
      "InitConfiguration",
      "ClusterConfiguration",
      "KubeletConfiguration",
      "KubeProxyConfiguration",
    ]);
  });

  it("gets the cluster as the settings say", () => {
    const { ClusterConfiguration, KubeletConfiguration, KubeProxyConfiguration } = init(false);
    expect(ClusterConfiguration).toEqual({
      apiVersion: "kubeadm.k8s.io/v1beta4",
      kind: "ClusterConfiguration",
      clusterName: "lab",
      kubernetesVersion: "v1.37.1",
      imageRepository: "registry.lab/k8s",
      controlPlaneEndpoint: "api.lab.internal:8443",
      networking: { podSubnet: "10.32.0.0/16", serviceSubnet: "10.64.0.0/16", dnsDomain: "lab.local" },
      apiServer: { certSANs: ["api.lab.internal", "10.77.0.11", "cp1.example", "127.0.0.1"] },
      etcd: { local: { extraArgs: [{ name: "heartbeat-interval", value: "250" }, { name: "election-timeout", value: "2500" }] } },
    });
    expect(KubeletConfiguration.cgroupDriver).toBe("systemd");
    expect(KubeProxyConfiguration.mode).toBe("nftables");
  });

  it("binds everything to the cluster address, whatever the address for SSH is", () => {
    const { InitConfiguration } = init(false);
    expect(InitConfiguration.localAPIEndpoint).toEqual({ advertiseAddress: "10.77.0.11", bindPort: 8443 });
    expect(InitConfiguration.nodeRegistration).toMatchObject({
      name: "cp1",
      criSocket: "unix:///run/containerd/containerd.sock",
      kubeletExtraArgs: [{ name: "node-ip", value: "10.77.0.11" }],
      ignorePreflightErrors: ["NumCPU"],
    });
  });

  it("keeps pods off the control plane beside workers, and lets them on without", () => {
    expect(init(false).InitConfiguration.nodeRegistration.taints).toEqual([
      { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
    ]);
    // An empty list, for without the field kubeadm would put its taint there.
    expect(init(true).InitConfiguration.nodeRegistration.taints).toEqual([]);
  });

  it("adds the taints from the settings", () => {
    const taint = { key: "a", effect: "NoExecute" } as const;
    expect(
      init(true, settings, { ...member!, taints: [taint] }).InitConfiguration.nodeRegistration.taints,
    ).toEqual([taint]);
    expect(
      init(false, settings, { ...member!, taints: [taint] }).InitConfiguration.nodeRegistration.taints,
    ).toHaveLength(2);
  });

  it("leaves no token that lives for a day, and shows none", () => {
    const { InitConfiguration } = init(false);
    expect(InitConfiguration.bootstrapTokens).toHaveLength(1);
    expect(InitConfiguration.bootstrapTokens[0]).toMatchObject({ ttl: "1m0s" });
    expect(InitConfiguration.bootstrapTokens[0]).not.toHaveProperty("token");
    expect(InitConfiguration.skipPhases).toEqual(["show-join-command"]);
  });

  it("gives slow machines time", () => {
    expect(init(false).InitConfiguration.timeouts.controlPlaneComponentHealthCheck).toBe("8m0s");
  });

  it("names every control plane in the certificate, and none twice", () => {
    const others = [member!, { ...member!, name: "cp2", host: "10.77.0.12", clusterAddress: "10.77.0.12" }];
    const { ClusterConfiguration } = documentsOf(initDocuments(settings, member!, others, false));
    expect(ClusterConfiguration.apiServer.certSANs).toEqual([
      "api.lab.internal",
      "10.77.0.11",
      "cp1.example",
      "10.77.0.12",
      "127.0.0.1",
    ]);
  });
});

describe("kubeadm join", () => {
  it("finds the cluster by name, and only the one with the right CA", () => {
    expect(join("worker", worker!)).toMatchObject({
      apiVersion: "kubeadm.k8s.io/v1beta4",
      discovery: {
        bootstrapToken: {
          token: credentials.token,
          apiServerEndpoint: "api.lab.internal:8443",
          caCertHashes: [credentials.caCertHash],
        },
      },
      nodeRegistration: {
        name: "w1",
        criSocket: "unix:///run/containerd/containerd.sock",
        kubeletExtraArgs: [{ name: "node-ip", value: "10.77.0.21" }],
        taints: [{ key: "lab/gpu", value: "yes", effect: "NoSchedule" }],
        ignorePreflightErrors: ["NumCPU"],
      },
    });
  });

  it("never skips the check of the CA", () => {
    expect(join("worker", worker!).discovery.bootstrapToken).not.toHaveProperty("unsafeSkipCAVerification");
  });

  it("gives slow machines time", () => {
    expect(join("worker", worker!).timeouts).toMatchObject({ tlsBootstrap: "8m0s", discovery: "8m0s", etcdAPICall: "4m0s" });
  });

  it("leaves labels to the control plane, since a kubelet with node-role.kubernetes.io/worker does not start", () => {
    expect(joinDocuments(settings, worker!, credentials, "worker")).not.toContain("node-role");
  });

  it("keeps a token that looks like a number a text", () => {
    const token = "123456.1234567890123456";
    expect(join("worker", worker!, { token }).discovery.bootstrapToken.token).toBe(token);
  });

  it("makes a control plane only of a machine that is to be one", () => {
    expect(join("worker", worker!)).not.toHaveProperty("controlPlane");
    expect(join("control-plane", member!, { certificateKey })).toHaveProperty("controlPlane");
  });
});

describe("kubeadm join of a control plane", () => {
  it("takes the cluster's certificates with the key of this join, and binds the apiserver to the cluster address", () => {
    expect(join("control-plane", member!, { certificateKey }).controlPlane).toEqual({
      localAPIEndpoint: { advertiseAddress: "10.77.0.11", bindPort: 8443 },
      certificateKey,
    });
  });

  it("keeps a key that looks like a number a text", () => {
    const digits = "1".repeat(64);
    expect(join("control-plane", member!, { certificateKey: digits }).controlPlane.certificateKey).toBe(digits);
  });

  it("keeps pods off beside workers, and lets them on without, as kubeadm init does", () => {
    const own = { key: "a", effect: "NoExecute" } as const;
    const machine = { ...member!, taints: [own] };
    const taint = { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" };
    expect(join("control-plane", member!).nodeRegistration.taints).toEqual([taint]);
    expect(join("control-plane", machine).nodeRegistration.taints).toEqual([taint, own]);
    // An empty list, for without the field kubeadm would put its taint there.
    expect(join("schedulable-control-plane", member!).nodeRegistration.taints).toEqual([]);
    expect(join("schedulable-control-plane", machine).nodeRegistration.taints).toEqual([own]);
  });
});

describe("kubeadm init phase upload-certs", () => {
  const upload = documentsOf(uploadDocuments(settings, member!, certificateKey));

  it("encrypts the certificates with the key of one join", () => {
    expect(upload.InitConfiguration).toMatchObject({ apiVersion: "kubeadm.k8s.io/v1beta4", certificateKey });
  });

  it("is told all that it would otherwise ask the machine's network or the internet for", () => {
    expect(upload.InitConfiguration.localAPIEndpoint).toEqual({ advertiseAddress: "10.77.0.11", bindPort: 8443 });
    expect(upload.InitConfiguration.nodeRegistration).toMatchObject({ name: "cp1", criSocket: "unix:///run/containerd/containerd.sock" });
    expect(upload.ClusterConfiguration).toMatchObject({ apiVersion: "kubeadm.k8s.io/v1beta4", kubernetesVersion: "v1.37.1" });
  });
});
