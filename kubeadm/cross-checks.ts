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
    ...endpointAddress(config),
    ...endpointVip(config, machines),
    ...endpointExternal(config),
    ...snapshotDirectory(config),
    ...logins(config),
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

/** The networks inside the cluster, as far as they are valid. */
function networksOf(config: Section): { pods: string | undefined; services: string | undefined } {
  const network = section(config.network);
  return {
    pods: validNetwork(network.podSubnet ?? defaults.podSubnet),
    services: validNetwork(network.serviceSubnet ?? defaults.serviceSubnet),
  };
}

/** The faults of an address that must be outside the networks inside the cluster. */
function inNetworks(config: Section, path: Fault["path"], address: string | undefined): Fault[] {
  const { pods, services } = networksOf(config);
  return (
    [
      ["pods", pods],
      ["services", services],
    ] as const
  ).flatMap(([title, network]) =>
    address !== undefined && network && networkContains(network, address)
      ? [{ path, reason: `${address} lies in the ${title}' network ${network}; choose another network for them` }]
      : [],
  );
}

function networks(config: Section, machines: Written[]): Fault[] {
  const { pods, services } = networksOf(config);
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
  return [
    ...faults,
    ...machines.flatMap(({ path, machine }) =>
      inNetworks(config, [...path, machine.clusterAddress === undefined ? "host" : "clusterAddress"], clusterAddress(machine)),
    ),
  ];
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

/** Several control planes need one address before them, and who gives it must be clear. */
function endpointAddress(config: Section): Fault[] {
  const { vip, external } = section(config.endpoint);
  if (vip !== undefined && external !== undefined)
    return [
      {
        path: ["endpoint", "external"],
        reason: "excludes vip: the address of the API is moved by keepalived, or kept by a balancer",
      },
    ];
  const controlPlanes = written(config, "controlPlanes").length;
  if (controlPlanes < 2 || vip !== undefined || external !== undefined) return [];
  return [
    {
      path: ["endpoint", "vip"],
      reason:
        `is required with ${controlPlanes} control planes, or endpoint.external: without one of them every client would ask a single control ` +
        "plane, and lose the API with it. vip: a free IPv4 address in the control planes' network; external: the address of a balancer",
    },
  ];
}

function endpointVip(config: Section, machines: Written[]): Fault[] {
  const path = ["endpoint", "vip"];
  const vip = validAddress(section(config.endpoint).vip);
  const taken = machines.find(({ machine }) => vip !== undefined && hasAddress(machine, vip));
  return [
    ...(taken
      ? [{ path, reason: `${vip} is ${taken.label}'s own address; it must be free, since it moves between the control planes` }]
      : []),
    ...inNetworks(config, path, vip),
  ];
}

function endpointExternal(config: Section): Fault[] {
  const path = ["endpoint", "external"];
  const endpoint = section(config.endpoint);
  const external = known(endpoint.external);
  if (external === undefined) return [];
  if (!isIpv4(external)) {
    const name = known(endpoint.name ?? defaults.endpointName);
    return isDnsName(external) && name !== undefined && name !== external
      ? [
          {
            path,
            reason: `${external} must be endpoint.name too, which is ${name}: it is the name in the certificates, and machines resolve it themselves`,
          },
        ]
      : [];
  }
  const controlPlanes = written(config, "controlPlanes");
  const taken = controlPlanes.find(({ machine }) => controlPlanes.length > 1 && hasAddress(machine, external));
  return [
    ...(taken
      ? [{ path, reason: `${external} is ${taken.label}'s own address; the API would be lost with it. Give a balancer's` }]
      : []),
    ...inNetworks(config, path, external),
  ];
}

/** What a reset of the node removes would take the snapshots along. */
const removedAtReset = ["/etc/kubernetes", "/var/lib/etcd", "/var/lib/kubelet"];

function snapshotDirectory(config: Section): Fault[] {
  const directory = known(section(config.etcd).snapshotDirectory);
  const around = removedAtReset.find((path) => directory === path || directory?.startsWith(`${path}/`));
  if (around === undefined) return [];
  return [
    {
      path: ["etcd", "snapshotDirectory"],
      reason: `must not lie in ${around}, which is emptied when a node is reset: the snapshots would go with it`,
    },
  ];
}

/** Users that are there twice. */
function logins(config: Section): Fault[] {
  const names = (Array.isArray(config.logins) ? config.logins : []).map((login) => section(login).name);
  return names.flatMap((name, i) =>
    typeof name === "string" && names.indexOf(name) < i
      ? [{ path: ["logins", i, "name"], reason: `${name} is logins[${names.indexOf(name)}]'s already; write all keys of a user in one place` }]
      : [],
  );
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

const hasAddress = (machine: Section, address: string): boolean =>
  machine.host === address || machine.clusterAddress === address;

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
const validAddress = (value: unknown): string | undefined =>
  typeof value === "string" && isIpv4(value) ? value : undefined;
const validNetwork = (value: unknown): string | undefined =>
  typeof value === "string" && isNetwork(value) ? value : undefined;
const prefixOf = (network: string): number => Number(network.split("/")[1]);
