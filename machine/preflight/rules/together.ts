import { isDeepStrictEqual } from "node:util";
import type { Fault, Observation } from "../fault.ts";

/** Most seconds that two machines' clocks may be apart. etcd warns from one on, and leases and certificates suffer from more. */
const mostSeconds = 5;

/** What must differ from machine to machine. */
const identities: {
  check: string;
  title: string;
  of: (observation: Observation) => string;
  why: string;
  next: string;
}[] = [
  {
    check: "UniqueHostname",
    title: "host name",
    of: ({ facts }) => facts.hostname,
    why: "logs, leases and monitoring tell machines apart by it",
    next: "give it another one with hostnamectl",
  },
  {
    check: "UniqueMachineId",
    title: "machine id",
    of: ({ facts }) => facts.machineId,
    why: "copies of one machine get the same DHCP lease and the same MAC address on the pod network's link",
    next: "remove /etc/machine-id and /var/lib/dbus/machine-id, run systemd-machine-id-setup, and restart it",
  },
  {
    check: "UniqueProductUuid",
    title: "product_uuid",
    of: ({ facts }) => facts.productUuid,
    why: "Kubernetes and its cloud and storage plugins take it for the machine's identity",
    next: "have the hypervisor give the machine its own",
  },
  {
    check: "UniqueMacAddress",
    title: "MAC address on the cluster's network",
    of: ({ machine, facts }) =>
      facts.addresses.find(({ addr_info }) => addr_info.some(({ local }) => local === machine.clusterAddress))
        ?.address ?? "",
    why: "the network cannot tell the two apart",
    next: "have the hypervisor give the machine its own",
  },
];

/** Machines that are, or look like, the same: the later one in the list has the fault. */
export function uniqueness(observations: readonly Observation[]): Fault[] {
  return observations.flatMap((observation, i): Fault[] => {
    const machine = observation.machine.name;
    const twin = observations.slice(0, i).find((other) => isSameMachine(other, observation));
    if (twin) {
      return [
        {
          machine,
          check: "SameMachine",
          waivable: false,
          found: `${observation.machine.host} and ${twin.machine.name}'s ${twin.machine.host} are the same machine`,
          why: "one machine is one node",
          next: "correct the addresses, or leave one of the two out",
        },
      ];
    }
    return identities.flatMap(({ check, title, of, why, next }) => {
      const value = of(observation);
      const other = observations.slice(0, i).find((earlier) => value !== "" && of(earlier) === value);
      return other
        ? [
            {
              machine,
              check,
              waivable: true,
              found: `it has the same ${title} as ${other.machine.name}: ${value}`,
              why,
              next,
            },
          ]
        : [];
    });
  });
}

/** Copies share ids and even names, but never all their addresses. */
function isSameMachine({ facts: a }: Observation, { facts: b }: Observation): boolean {
  const addressesOf = (facts: typeof a) =>
    facts.addresses.flatMap(({ address, addr_info }) => [address, ...addr_info.map(({ local }) => local)]);
  return (
    a.machineId !== "" && a.machineId === b.machineId && isDeepStrictEqual(addressesOf(a), addressesOf(b))
  );
}

/**
 * How far a machine's clock is ahead of this computer's, in seconds, and how far that may be off. The way there and the way back
 * are taken as equally long, as NTP does: https://www.rfc-editor.org/rfc/rfc5905#section-8
 */
export function clockOf({
  facts: { clock },
  sent,
  received,
}: Pick<Observation, "sent" | "received"> & { facts: Pick<Observation["facts"], "clock"> }): {
  offset: number;
  uncertainty: number;
} {
  return {
    offset: (clock.start - sent + (clock.end - received)) / 2,
    uncertainty: Math.max(0, (received - sent - (clock.end - clock.start)) / 2),
  };
}

/** Clocks that are apart, told of each machine that differs from the one that agrees best with this computer. */
export function clocks(observations: readonly Observation[]): Fault[] {
  const readings = observations.map((observation) => ({
    name: observation.machine.name,
    ...clockOf(observation),
  }));
  const reference = readings.toSorted((a, b) => Math.abs(a.offset) - Math.abs(b.offset))[0];
  return readings.flatMap(({ name, offset, uncertainty }) => {
    const difference = offset - reference!.offset;
    if (Math.abs(difference) - uncertainty - reference!.uncertainty <= mostSeconds) return [];
    return [
      {
        machine: name,
        check: "ClockSkew",
        waivable: true,
        found: `its clock is ${Math.abs(difference).toFixed(0)} s ${difference > 0 ? "ahead of" : "behind"} ${reference!.name}'s`,
        why: `certificates are not valid yet, and etcd's leases flap; more than ${mostSeconds} s are too many`,
        next: "set the clock and keep it set: install chrony or turn on systemd-timesyncd (timedatectl set-ntp true)",
      },
    ];
  });
}
