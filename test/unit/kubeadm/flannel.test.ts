import { parseAllDocuments } from "yaml";
import { describe, expect, it } from "vitest";
import { flannelManifest } from "../../../kubeadm/flannel.ts";

const flannel = {
  image: "registry.lab/flannel:v1",
  cniPluginImage: "registry.lab/plugin:v2",
  vxlanPort: 8472,
};
const objectsOf = (settings: Parameters<typeof flannelManifest>[0]) =>
  parseAllDocuments(flannelManifest(settings, "10.32.0.0/16")).map((document) => document.toJS());
const objects = objectsOf(flannel);
const kind = (name: string, from = objects) => from.find((object) => object.kind === name);
const pod = kind("DaemonSet").spec.template.spec;
const network = (from = objects) => JSON.parse(kind("ConfigMap", from).data["net-conf.json"]);

describe("flannel's manifest", () => {
  it("has every object, the namespace first, because the others live in it", () => {
    expect(objects.map((object) => object.kind)).toEqual([
      "Namespace",
      "ServiceAccount",
      "ClusterRole",
      "ClusterRoleBinding",
      "ConfigMap",
      "DaemonSet",
    ]);
  });

  it("lets privileged pods into the namespace", () => {
    expect(kind("Namespace").metadata.labels).toEqual({ "pod-security.kubernetes.io/enforce": "privileged" });
  });

  it("uses vxlan on the configured network and port", () => {
    expect(network()).toEqual({ Network: "10.32.0.0/16", Backend: { Type: "vxlan", Port: 8472 } });
    expect(network(objectsOf({ ...flannel, mtu: 1350, vxlanPort: 4789 })).Backend).toEqual({
      Type: "vxlan",
      Port: 4789,
      MTU: 1350,
    });
  });

  it("uses the interface of the cluster address", () => {
    expect(pod.containers[0].args).toContain("--iface=$(NODE_ADDRESS)");
    expect(pod.containers[0].env).toContainEqual({
      name: "NODE_ADDRESS",
      valueFrom: { fieldRef: { fieldPath: "status.hostIP" } },
    });
  });

  it("uses the configured images and no other", () => {
    expect([...pod.initContainers, ...pod.containers].map(({ image }) => image)).toEqual([
      "registry.lab/flannel:v1",
      "registry.lab/plugin:v2",
      "registry.lab/flannel:v1",
    ]);
  });

  it("runs on every node, whatever taints it has", () =>
    expect(pod.tolerations).toEqual([{ operator: "Exists" }]));

  it("is not started before kube-proxy leads to the API's Service", () => {
    const names = pod.initContainers.map(({ name }: { name: string }) => name);
    expect(names).toEqual(["wait-for-kube-proxy", "install-cni-plugin"]);
    expect(pod.initContainers[0].command.at(-1)).toContain("http://127.0.0.1:10256/healthz");
  });

  it("has its node taken for ready when the node's subnet is written down, and not before", () => {
    const script: string = pod.containers[0].lifecycle.postStart.exec.command.at(-1);
    expect(script).toMatch(/^until \[ -s \/run\/flannel\/subnet\.env \]; do .*; done; exec .* \/etc\/cni\/net\.d\/10-flannel\.conflist$/);
  });

  it("mounts only volumes that it has", () => {
    const volumes = pod.volumes.map(({ name }: { name: string }) => name);
    for (const { volumeMounts } of [...pod.initContainers, ...pod.containers]) {
      for (const { name } of volumeMounts ?? []) expect(volumes).toContain(name);
    }
  });

  it("restarts the pods when the network's settings change, for they read them once", () => {
    const annotations = (from: typeof objects) => kind("DaemonSet", from).spec.template.metadata.annotations;
    expect(annotations(objectsOf({ ...flannel, mtu: 1350 }))).not.toEqual(annotations(objects));
    expect(annotations(objectsOf(flannel))).toEqual(annotations(objects));
  });

  it("reads its own pod, the nodes, and writes nothing but its node's status", () => {
    expect(kind("ClusterRole").rules).toEqual([
      { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
      { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
      { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
    ]);
    expect(kind("ClusterRoleBinding")).toMatchObject({
      roleRef: { name: kind("ClusterRole").metadata.name },
      subjects: [{ name: kind("ServiceAccount").metadata.name, namespace: "kube-flannel" }],
    });
  });
});
