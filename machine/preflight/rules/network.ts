import ipaddr from "ipaddr.js";
import { networksOverlap } from "../../../kubeadm/fields.ts";
import { healthPort } from "../../../kubeadm/flannel.ts";
import { isOurs, type Rule, type Surroundings } from "../fault.ts";

/** The cluster address is one of the machine's own. */
export const clusterAddress: Rule = ({ machine, facts }) => {
  if (facts.missingTools.includes("ip")) return [];
  const own = facts.addresses.flatMap(({ ifname, addr_info }) =>
    addr_info.flatMap(({ family, local }) =>
      family === "inet" && local && ifname !== "lo" ? [{ ifname, local }] : [],
    ),
  );
  if (own.some(({ local }) => local === machine.clusterAddress)) return [];
  return [
    {
      check: "ClusterAddress",
      waivable: false,
      found: `the cluster address ${machine.clusterAddress} is on none of its interfaces (${own.map(({ ifname, local }) => `${ifname} ${local}`).join(", ") || "none has an IPv4 address"})`,
      why: "the apiserver, etcd, the kubelet and flannel bind to it; an address that a router translates is not on the machine",
      next: `set clusterAddress of ${machine.name} to one of these; host stays the address for SSH`,
    },
  ];
};

/** The default route. */
export const defaultRoute: Rule = ({ facts }) =>
  facts.missingTools.includes("ip") || facts.routes.some(({ dst }) => dst === "default")
    ? []
    : [
        {
          check: "DefaultRoute",
          found: "there is no default route",
          why: "the kernel drops what is sent to a Service when no route covers its address, and kubeadm looks for its address there",
          next: "add one (ip route add default via GATEWAY, and so in the network's configuration); on a closed network any gateway will do",
        },
      ];

/** Links that the pod network itself makes, so that their routes are no overlap. */
const podLinks = /^(cni0|flannel|kube-|veth)/;

/** Pods' and Services' networks against all that the machine can reach otherwise. */
export const routes: Rule = ({ facts }, { settings: { network } }) => {
  const others = facts.routes.filter(({ dst, dev }) => /^[\d.]+(\/\d+)?$/.test(dst) && !podLinks.test(dev));
  return (["podSubnet", "serviceSubnet"] as const).flatMap((setting) => {
    const clash = others.find(({ dst }) => networksOverlap(asNetwork(dst), network[setting]));
    if (!clash) return [];
    return [
      {
        check: "NetworkOverlap",
        found: `network.${setting} ${network[setting]} overlaps the route to ${clash.dst} on ${clash.dev}`,
        why: "what lies behind that route could no longer be reached from the node or its pods",
        next: `choose another network.${setting}, or remove the route if nothing needs it`,
      },
    ];
  });
};

const asNetwork = (dst: string) => (dst.includes("/") ? dst : `${dst}/32`);

/** A nameserver that pods can use too. */
export const nameserver: Rule = ({ facts: { nameservers } }) => {
  const usable = nameservers.filter(
    (server) => ipaddr.isValid(server) && ipaddr.parse(server).range() !== "loopback",
  );
  if (usable.length > 0) return [];
  return [
    {
      check: "Nameserver",
      found:
        nameservers.length === 0
          ? "no nameserver is configured"
          : `the only nameserver is ${nameservers.join(", ")}, the machine itself`,
      why: "CoreDNS asks the node's nameserver, and does not start when there is none or when it would ask itself",
      next: "name one in the network's configuration (/etc/resolv.conf)",
    },
  ];
};

/** Ports by role: https://kubernetes.io/docs/reference/networking/ports-and-protocols/, and those of the kubelet's, kube-proxy's and flannel's own health. */
function portsOf(
  role: "control-plane" | "worker",
  { settings }: Surroundings,
): { protocol: string; port: number; user: string }[] {
  const tcp = (port: number, user: string) => ({ protocol: "tcp", port, user });
  return [
    ...(role === "worker"
      ? []
      : [
          tcp(settings.endpoint.port, "the apiserver"),
          tcp(2379, "etcd"),
          tcp(2380, "etcd"),
          tcp(10257, "the controller manager"),
          tcp(10259, "the scheduler"),
        ]),
    tcp(10248, "the kubelet"),
    tcp(10249, "kube-proxy"),
    tcp(10250, "the kubelet"),
    tcp(10256, "kube-proxy"),
    tcp(healthPort, "flannel"),
    { protocol: "udp", port: settings.flannel.vxlanPort, user: "flannel" },
  ];
}

/** Ports that Kubernetes needs for itself. On a machine of this cluster it has them already. */
export const ports: Rule = (observation, surroundings) => {
  if (isOurs(observation, surroundings)) return [];
  return portsOf(observation.role, surroundings).flatMap(({ protocol, port, user }) => {
    const listener = observation.facts.listeners.find(
      (other) => other.protocol === protocol && other.port === port,
    );
    if (!listener) return [];
    return [
      {
        check: `Port-${port}`,
        found: `${protocol} port ${port} is in use${listener.process ? ` by ${listener.process}` : ""}`,
        why: `${user} needs it`,
        next: "stop what uses it, now and at the next start",
      },
    ];
  });
};
