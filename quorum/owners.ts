import type { ListedMember, MachineReport } from "./observation.ts";

/** Where kubeadm lets a stacked etcd listen for its peers. */
export const peerUrlOf = (address: string): string => `https://${address.includes(":") ? `[${address}]` : address}:2380`;

/**
 * Finds the machine that a member runs on. It must have the member's name and its peer URL (a member that has not started has no
 * name yet), and tell the member's id if its etcd answers. A machine that holds nothing, or nothing of ours, owns no member: one
 * with its name is the ghost of an earlier machine.
 *
 * @returns of several: the one whose etcd tells the id, then the wanted one (nothing is removed on a guess)
 */
export function ownerOf(member: ListedMember, reports: readonly MachineReport[]): MachineReport | undefined {
  const possible = reports.filter(
    (report) =>
      report.state !== "none" &&
      report.state !== "foreign" &&
      matches(member, report) &&
      (report.etcd === undefined || report.etcd.memberId === member.id),
  );
  return possible.find(({ etcd }) => etcd !== undefined) ?? possible.find(({ wanted }) => wanted) ?? possible[0];
}

const matches = (member: ListedMember, { name, address }: MachineReport): boolean =>
  (member.name === "" || member.name === name) && member.peerUrls[0] === peerUrlOf(address);

/**
 * Says which machine and which member are only half the same: name and peer URL together are the identity, and a half is a mistake
 * in the settings or a changed address. A machine that is the member's in both explains it, also one that left.
 *
 * @returns undefined when all is clear
 */
export function identityFault(list: readonly ListedMember[], reports: readonly MachineReport[]): string | undefined {
  const ours = reports.filter(({ state }) => state !== "foreign");
  for (const member of list.filter(({ name }) => name !== "")) {
    const [peerUrl] = member.peerUrls;
    const who = `etcd member ${member.name} (${member.id}, ${peerUrl})`;
    const hosts = ours.filter(({ etcd }) => etcd?.memberId === member.id);
    if (hosts.length > 0 && !hosts.some((host) => matches(member, host))) {
      return `${hosts[0]!.name} (${peerUrlOf(hosts[0]!.address)}) runs ${who}: another name or another peer URL`;
    }
    if (ours.some((report) => matches(member, report))) continue;
    const namesake = ours.find(({ name }) => name === member.name);
    if (namesake) return `${who} has the name of the machine ${namesake.name}, whose peer URL is ${peerUrlOf(namesake.address)}`;
    const neighbour = ours.find(({ address }) => peerUrlOf(address) === peerUrl);
    if (neighbour) return `${who} has the peer URL of the machine ${neighbour.name}`;
  }
  return undefined;
}
