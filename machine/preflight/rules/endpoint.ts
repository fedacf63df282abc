import ipaddr from "ipaddr.js";
import { networkContains } from "../../../kubeadm/fields.ts";
import { isOurs, type Fault, type Observation, type Rule, type Surroundings } from "../fault.ts";

/** The address that moves lies in the control planes' own network: there it is found, wherever it is (ARP, RFC 826). */
export const vipNetwork: Rule = ({ machine, role, facts }, { settings }) => {
  const { vip } = settings.endpoint;
  const own = facts.addresses.flatMap(({ addr_info }) => addr_info).find(({ local }) => local === machine.clusterAddress);
  if (vip === undefined || role !== "control-plane" || own?.prefixlen === undefined) return [];
  const network = `${ipaddr.IPv4.networkAddressFromCIDR(`${own.local}/${own.prefixlen}`).toString()}/${own.prefixlen}`;
  if (isHostOf(network, vip)) return [];
  return [
    {
      check: "VipNetwork",
      found: `endpoint.vip ${vip} is no machine's address in ${network}, the network of its cluster address`,
      why: "the address moves by telling its own network where it is now; other networks keep sending to the machine that had it",
      next: `choose a free address in ${network}; where the network lets no address move, set endpoint.external to a balancer's`,
    },
  ];
};

/** True for an address that a machine in that network can have. */
function isHostOf(network: string, address: string): boolean {
  const taken = [ipaddr.IPv4.networkAddressFromCIDR(network), ipaddr.IPv4.broadcastAddressFromCIDR(network)];
  return networkContains(network, address) && taken.every((other) => other.toString() !== address);
}

/** keepalived has one configuration, and on a control plane it is to be ours. */
export const otherKeepalived: Rule = (observation, surroundings) => {
  const { role, facts } = observation;
  const wanted = surroundings.settings.endpoint.vip !== undefined && role === "control-plane";
  if (!wanted || !facts.keepalived || isOurs(observation, surroundings)) return [];
  return [
    {
      check: "Keepalived",
      waivable: false,
      found: "keepalived has a configuration here already, /etc/keepalived/keepalived.conf",
      why: "endpoint.vip needs keepalived for itself, and what that configuration keeps would be lost",
      next: "move that file away if nothing needs it, or use another machine; or set endpoint.external instead of endpoint.vip",
    },
  ];
};

/** A balancer's name, which no line in /etc/hosts is written for. */
export const endpointName: Rule = ({ facts }, { settings: { endpoint } }) =>
  endpoint.external !== endpoint.name || facts.endpoint.resolved.length > 0
    ? []
    : [
        {
          check: "EndpointName",
          found: `the machine finds no address for ${endpoint.name}`,
          why: "it is the API's name, and the machines resolve it themselves when endpoint.external is a name",
          next: "enter it into the DNS that the machines ask, or set endpoint.external to the balancer's IPv4 address",
        },
      ];

/** An address that moves is nobody's: two that have it would take each other's connections. */
export function vipHolder(observations: readonly Observation[], surroundings: Surroundings): Fault[] {
  const { vip } = surroundings.settings.endpoint;
  if (vip === undefined) return [];
  const why = "two machines with one address take each other's connections";
  const owners = observations.filter(
    (observation) =>
      !isOurs(observation, surroundings) &&
      observation.facts.addresses.some(({ addr_info }) => addr_info.some(({ local }) => local === vip)),
  );
  const faults = owners.map(({ machine }) => ({
    machine: machine.name,
    check: "VipInUse",
    waivable: true,
    found: `it has the address ${vip}, which endpoint.vip names`,
    why,
    next: "take the address off the machine, or choose another endpoint.vip",
  }));
  // Where a control plane keeps it already, it is this cluster's; and a machine that left the settings may have it right now.
  const kept = observations.some((observation) => isOurs(observation, surroundings) && observation.facts.endpoint.kept);
  const links = new Set(observations.flatMap(({ facts }) => facts.addresses.map(({ address }) => address)));
  const witness = observations.find(({ facts: { endpoint } }) => endpoint.holder !== "" && !links.has(endpoint.holder));
  if (kept || !witness) return faults;
  return [
    ...faults,
    {
      machine: witness.machine.name,
      check: "VipInUse",
      waivable: true,
      found: `somebody on its network has the address ${vip} already, which endpoint.vip names: MAC address ${witness.facts.endpoint.holder}`,
      why,
      next: "choose an address that nobody has and that no DHCP server gives away",
    },
  ];
}
