import type { SharedSettings } from "./reconcile.ts";

/** What of a cluster cannot change: its settings, and who its control planes are. */
export interface FixedParts {
  readonly cluster: Pick<SharedSettings, "name" | "endpoint" | "network" | "kubeProxyMode" | "imageRepository">;
  readonly members: readonly { readonly name: string; readonly clusterAddress: string; readonly hostKey?: string }[];
}

const fixedSettings: [path: string, value: (parts: FixedParts) => string, why: string][] = [
  ["network.podSubnet", (parts) => parts.cluster.network.podSubnet, "every node has its part of it"],
  ["network.serviceSubnet", (parts) => parts.cluster.network.serviceSubnet, "every Service has an address in it and the apiserver's certificate names one"],
  ["network.dnsDomain", (parts) => parts.cluster.network.dnsDomain, "every kubelet and CoreDNS were started with it"],
  ["endpoint.name", (parts) => parts.cluster.endpoint.name, "every kubelet, kubeconfig and certificate names it"],
  ["endpoint.port", (parts) => String(parts.cluster.endpoint.port), "every kubelet and kubeconfig names it"],
  ["name", (parts) => parts.cluster.name, "every kubeconfig and the machines' owner file name it"],
  ["kubeProxyMode", (parts) => parts.cluster.kubeProxyMode, "kube-proxy was set up with it, and two modes leave rules that fight"],
  ["imageRepository", (parts) => parts.cluster.imageRepository, "the running static pods and kubeadm's ConfigMap name it"],
];

/**
 * Changed settings that would need a new cluster. They are refused, never carried out as a replacement.
 *
 * @returns a text for each, with the setting, the reason and the way to do it
 */
export function refusedSettings(olds: FixedParts, news: FixedParts): string[] {
  const settings = fixedSettings
    .filter(([, value]) => value(olds) !== value(news))
    .map(
      ([path, value, why]) =>
        `${path}: ${value(olds)} cannot become ${value(news)} in a running cluster: ${why}. ` +
        `Next: set it back to ${value(olds)}; or, for a new cluster, run \`pulumi destroy\` with the old value and \`pulumi up\` with the new one.`,
    );
  const addresses = news.members.flatMap((member) => {
    const old = olds.members.find(({ name }) => name === member.name);
    if (!old || another(old, member) || old.clusterAddress === member.clusterAddress) return [];
    return [
      `${member.name}: its cluster address cannot change from ${old.clusterAddress} to ${member.clusterAddress}: etcd and the ` +
        `certificates name the old one. Next: give the machine its old address back, or destroy the cluster and make it anew.`,
    ];
  });
  return [...settings, ...addresses];
}

/**
 * Changes that would take the only control plane, and with it the cluster's data, away.
 *
 * @returns a text for each, with the machine, the reason and the way to do it
 */
export function refusedMachines(olds: FixedParts, news: FixedParts): string[] {
  return olds.members.flatMap((old) => {
    const member = news.members.find(({ name }) => name === old.name);
    if (!member) {
      return [
        `controlPlanes: ${old.name} is the only control plane, and holds the cluster's data. ` +
          `Next: put it back; or, for a new cluster on another machine, run \`pulumi destroy\` first.`,
      ];
    }
    if (!another(old, member)) return [];
    return [
      `${old.name}: another machine (its host key is another one) cannot take the place of the only control plane, which holds the ` +
        `cluster's data. Next: give the old machine its place back; or, for a new cluster, run \`pulumi destroy\` first.`,
    ];
  });
}

type Identified = FixedParts["members"][number];

/** Whether both host keys are known and differ. */
const another = (old: Identified, member: Identified): boolean =>
  old.hostKey !== undefined && member.hostKey !== undefined && old.hostKey !== member.hostKey;
