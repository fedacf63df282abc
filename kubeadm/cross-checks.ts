import { defaults } from "./defaults.ts";
import { isDnsName, isIpv4, isNetwork, networkContains, networksOverlap, notKnownYet } from "./fields.ts";
import type { InjectedChecks } from "./settings.ts";

/** A fault with the path as keys and indexes. */
interface Fault {
  path: (string | number)[];
  reason: string;
}

type Section = Record<string, unknown>;

/** A machine as written, wherever it stands. */
interface Written {
  path: (string | number)[];
  machine: Section;
  /** How messages call it. */
  label: string;
}

/**
 * The checks that look at more than one setting. They read the configuration as it was written and pass over whatever is missing
 * or malformed, so that their faults are told together with the schema's.
 */
export function crossFaults(raw: unknown, checks: InjectedChecks): Fault[] {
  const config = section(raw);
  const machines = ["controlPlanes", "workers"].flatMap((role) => written(config, role));
  return [
    ...controlPlaneSize(config, checks),
    ...machines.flatMap(missingClusterAddress),
    ...duplicates(machines, "name", ({ machine }) => known(machine.name)),
    ...duplicates(machines, "host", ({ machine }) => dialled(config, machine)),
    ...duplicates(machines, "clusterAddress", ({ machine }) => clusterAddress(machine)),
    ...networks(config, machines),
    ...endpointName(config, machines),
    ...credentials(section(config.ssh), ["ssh"]),
    ...(isSection(section(config.ssh).bastion)
      ? credentials(section(section(config.ssh).bastion), ["ssh", "bastion"])
      : []),
    ...["kubernetes", "containerd"].flatMap((name) =>
      repositoryKey(section(section(config.packages)[name]), ["packages", name]),
    ),
  ];
}

function controlPlaneSize(config: Section, checks: InjectedChecks): Fault[] {
  if (!Array.isArray(config.controlPlanes)) return [];
  const reason = checks.controlPlaneSize?.(config.controlPlanes.length);
  return reason ? [{ path: ["controlPlanes"], reason }] : [];
}

function missingClusterAddress({ path, machine }: Written): Fault[] {
  const host = known(machine.host);
  if (machine.clusterAddress !== undefined || host === undefined || isIpv4(host)) return [];
  return [
    {
      path: [...path, "clusterAddress"],
      reason: "is required when host is no IPv4 address: the address of the machine inside the cluster",
    },
  ];
}

/** Faults of every machine whose value an earlier machine has already. */
function duplicates(
  machines: Written[],
  key: string,
  valueOf: (machine: Written) => string | undefined,
): Fault[] {
  const first = new Map<string, Written>();
  return machines.flatMap((machine) => {
    const value = valueOf(machine);
    if (value === undefined) return [];
    const earlier = first.get(value);
    if (!earlier) first.set(value, machine);
    return earlier
      ? [
          {
            path: [...machine.path, key],
            reason: `${value} is ${earlier.label}'s already; each machine needs its own`,
          },
        ]
      : [];
  });
}

function networks(config: Section, machines: Written[]): Fault[] {
  const network = section(config.network);
  const pods = validNetwork(network.podSubnet ?? defaults.podSubnet);
  const services = validNetwork(network.serviceSubnet ?? defaults.serviceSubnet);
  const faults: Fault[] = [];
  if (pods && services && networksOverlap(pods, services)) {
    faults.push({
      path: ["network", "serviceSubnet"],
      reason: `${services} overlaps the pods' network ${pods}; choose networks that are apart`,
    });
  }
  // The bounds are kubeadm's and the apiserver's: at most 20 bits of addresses, and at least ten of them.
  if (services && (prefixOf(services) < 12 || prefixOf(services) > 28)) {
    faults.push({ path: ["network", "serviceSubnet"], reason: `${services} must be a /12 to a /28` });
  }
  // The controller manager gives each node a /24, its default node-cidr-mask-size.
  const room = pods && prefixOf(pods) <= 24 ? 2 ** (24 - prefixOf(pods)) : 0;
  if (pods && room < Math.max(machines.length, 1)) {
    faults.push({
      path: ["network", "podSubnet"],
      reason: `${pods} has room for ${room} nodes (a /24 each), and there are ${machines.length}`,
    });
  }
  for (const { path, machine } of machines) {
    const address = clusterAddress(machine);
    for (const [title, other] of [
      ["pods", pods],
      ["services", services],
    ] as const) {
      if (address && other && networkContains(other, address)) {
        const key = machine.clusterAddress === undefined ? "host" : "clusterAddress";
        faults.push({
          path: [...path, key],
          reason: `${address} lies in the ${title}' network ${other}; choose another network for them`,
        });
      }
    }
  }
  return faults;
}

function endpointName(config: Section, machines: Written[]): Fault[] {
  const name = known(section(config.endpoint).name ?? defaults.endpointName);
  const taken = machines.find(
    ({ machine }) => name !== undefined && (machine.name === name || machine.host === name),
  );
  if (!taken) return [];
  return [
    {
      path: ["endpoint", "name"],
      reason: `${name} is ${taken.label}'s own name; the API needs a name that can move to another machine`,
    },
  ];
}

function credentials(ssh: Section, path: string[]): Fault[] {
  const given = ["privateKeyPath", "privateKeyEnv"].filter((key) => ssh[key] !== undefined);
  if (ssh.agent === true) given.push("agent");
  if (given.length > 1)
    return [
      {
        path: [...path, given.at(-1)!],
        reason: `excludes ${given[0]}: give one of privateKeyPath, privateKeyEnv and agent`,
      },
    ];
  if (given.length === 0 && ssh.agent === false)
    return [
      {
        path: [...path, "agent"],
        reason: "is false, and neither privateKeyPath nor privateKeyEnv is given: no way to log in is left",
      },
    ];
  const withKey = given.length === 1 && given[0] !== "agent";
  if (ssh.passphraseEnv !== undefined && !withKey)
    return [
      {
        path: [...path, "passphraseEnv"],
        reason:
          "is for a private key: give privateKeyPath or privateKeyEnv too, or leave it out (the agent knows its passphrases)",
      },
    ];
  return [];
}

/** apt trusts whatever the key signs, so the key must come from the configuration, over https, or have a known fingerprint. */
function repositoryKey(repository: Section, path: string[]): Fault[] {
  if (repository.key !== undefined && repository.keyUrl !== undefined) {
    return [{ path: [...path, "keyUrl"], reason: "excludes key: give the key or where it is fetched from" }];
  }
  const source = repository.keyUrl ?? repository.url;
  if (
    repository.key !== undefined ||
    repository.keyFingerprint !== undefined ||
    typeof source !== "string" ||
    !source.startsWith("http://")
  )
    return [];
  return [
    {
      path: [...path, repository.keyUrl === undefined ? "key" : "keyUrl"],
      reason:
        "would be fetched over plain http, where anybody can change it: give key (its text) or keyFingerprint",
    },
  ];
}

/** SSH address and port of a machine; the same address with another port is another machine behind NAT. */
function dialled(config: Section, machine: Section): string | undefined {
  const host = known(machine.host);
  const port = machine.port ?? section(config.ssh).port ?? defaults.sshPort;
  return host && (port === defaults.sshPort ? host : `${host} port ${String(port)}`);
}

function clusterAddress(machine: Section): string | undefined {
  const address = known(machine.clusterAddress ?? machine.host);
  return address !== undefined && isIpv4(address) ? address : undefined;
}

function written(config: Section, role: string): Written[] {
  const list = config[role];
  if (!Array.isArray(list)) return [];
  return list.flatMap((machine, i) =>
    isSection(machine)
      ? [
          {
            path: [role, i],
            machine,
            label:
              typeof machine.name === "string" && isDnsName(machine.name) ? machine.name : `${role}[${i}]`,
          },
        ]
      : [],
  );
}

const isSection = (value: unknown): value is Section =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const section = (value: unknown): Section => (isSection(value) ? value : {});
const known = (value: unknown): string | undefined =>
  typeof value === "string" && value !== notKnownYet ? value : undefined;
const validNetwork = (value: unknown): string | undefined =>
  typeof value === "string" && isNetwork(value) ? value : undefined;
const prefixOf = (network: string): number => Number(network.split("/")[1]);
