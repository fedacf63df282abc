import type { Difference } from "./differences.ts";

/** Whose a difference is: of a cluster, by this kit or by hand; of people, in their homes; or of anything else that was done to the machine. */
export type Origin = "cluster" | "home" | "elsewhere";

type Thing = Pick<Difference, "section" | "key" | "before" | "after">;

/** Names that only a cluster, its container runtime or this kit brings. */
const names = /kube|etcd(?!efault)|containerd|cri-tools|crictl|\bcni|flannel|calico|\bcali|cilium|keepalived|runc\b|rt_protos/i;

/** Kernel settings that this kit, kubelet, kube-proxy and the pod network set. */
const settings =
  /^(net\.bridge\.|net\.netfilter\.nf_conntrack_|net\.ipv4\.ip_forward$|net\.ipv[46]\.conf\.[^.]+\.(forwarding|route_localnet|accept_redirects)$|vm\.(overcommit_memory|panic_on_oom)$|kernel\.(panic|panic_on_oops)$|kernel\.keys\.root_)/;

const links = /^(cni|flannel|kube|cali|veth|vxlan\.)/;

/** True for what a cluster or its container runtime brings. */
export function isOfCluster({ section, key, before, after }: Thing): boolean {
  switch (section) {
    case "sysctl":
      return settings.test(key);
    case "link":
      return links.test(key);
    case "firewall":
      return /\b(KUBE|FLANNEL|CNI)-|kube-proxy/.test(key) || names.test(key);
    case "swap":
      return true;
    case "address":
    case "route":
      return links.test(/(?: on | dev )(\S+)/.exec(key)?.[1] ?? "");
    case "port":
      return names.test(before ?? after ?? "");
    case "passing":
      return /^\/var\/log\/(pods|containers)$/.test(key) || names.test(key);
    case "home":
      return false;
    default:
      return names.test(key);
  }
}

export function originOf(difference: Thing): Origin {
  return difference.section === "home" ? "home" : isOfCluster(difference) ? "cluster" : "elsewhere";
}
