import type { MachineFacts } from "../machine/preflight/facts.ts";

/**
 * What of a machine a cluster could leave behind, a line each: whom it belongs to, files of a cluster, other software, links, routes,
 * packet filters, ports, swap, names servers.
 */
export function traitsOf(facts: MachineFacts): string[] {
  const { owner, cluster, leftovers, software, swaps, firewall, nameservers, addresses, routes, listeners } = facts;
  return [
    ...(owner === "" ? [] : [`it belongs to ${owner}`]),
    ...cluster.map((path) => `${path} of a cluster`),
    ...leftovers.map((path) => `${path} of a pod network`),
    ...software.map((name) => `${name} is installed`),
    ...swaps.map((device) => `swap on ${device}`),
    ...(firewall === "" ? [] : [`firewall ${firewall}`]),
    ...nameservers.map((address) => `name server ${address}`),
    ...addresses.flatMap(({ ifname, addr_info: list }) => list.filter(({ family }) => family === "inet").map(({ local }) => `address ${local} on ${ifname}`)),
    ...routes.map(({ dst, dev }) => `route to ${dst} through ${dev}`),
    // Names without the number of the process, and only what waits for connections: ports of a moment come and go.
    ...listeners.filter(({ protocol }) => protocol === "tcp").map(({ port, process }) => `TCP port ${port} of ${process.replace(/ \(process \d+\)$/, "") || "nobody known"}`),
  ];
}

/**
 * What of a machine is not as it was before the class.
 *
 * @param before its traits then; undefined when nobody looked: then only what a cluster leaves behind is looked for
 * @returns a sentence each; empty when it is as it was
 */
export function differences(before: readonly string[] | undefined, facts: MachineFacts): string[] {
  const now = traitsOf(facts);
  const suspicious = / of a (cluster|pod network)$|^it belongs to /;
  if (!before) return now.filter((trait) => suspicious.test(trait)).map((trait) => `there is: ${trait}`);
  const [was, is] = [new Set(before), new Set(now)];
  return [...now.filter((trait) => !was.has(trait)).map((trait) => `new: ${trait}`), ...before.filter((trait) => !is.has(trait)).map((trait) => `gone: ${trait}`)];
}
