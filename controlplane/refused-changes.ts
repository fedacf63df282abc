import { reaches, type ClusterSettings } from "../kubeadm/settings.ts";
import type { HostKeys } from "./target.ts";

const fixedSettings: [path: string, value: (settings: ClusterSettings) => string, why: string][] = [
  ["network.podSubnet", (settings) => settings.network.podSubnet, "every node has its part of it"],
  ["network.serviceSubnet", (settings) => settings.network.serviceSubnet, "every Service has an address in it and the apiserver's certificate names one"],
  ["network.dnsDomain", (settings) => settings.network.dnsDomain, "every kubelet and CoreDNS were started with it"],
  ["endpoint.name", (settings) => settings.endpoint.name, "every kubelet, kubeconfig and certificate names it"],
  ["endpoint.port", (settings) => String(settings.endpoint.port), "every kubelet and kubeconfig names it"],
  ["name", (settings) => settings.name, "every kubeconfig and the machines' owner file name it"],
  ["kubeProxyMode", (settings) => settings.kubeProxyMode, "kube-proxy was set up with it, and two modes leave rules that fight"],
  ["etcd.electionTimeoutMilliseconds", (settings) => String(settings.etcd.electionTimeoutMilliseconds), "all members of etcd must have the same, and each takes it at its start"],
  ["imageRepository", (settings) => settings.imageRepository, "the running static pods and kubeadm's ConfigMap name it"],
];

/** Settings at one time, with the host keys of their machines. */
export interface Dated {
  readonly settings: ClusterSettings;
  readonly hostKeys: HostKeys;
}

/**
 * Changed settings that would need a new cluster. They are refused, never carried out as a replacement.
 *
 * @returns a text for each, with the setting, the reason and the way to do it
 */
export function refusedSettings(olds: Dated, news: Dated): string[] {
  const settings = fixedSettings
    .filter(([, value]) => value(olds.settings) !== value(news.settings))
    .map(
      ([path, value, why]) =>
        `${path}: ${value(olds.settings)} cannot become ${value(news.settings)} in a running cluster: ${why}. ` +
        `Next: set it back to ${value(olds.settings)}; or, for a new cluster, run \`pulumi destroy\` with the old value and \`pulumi up\` with the new one.`,
    );
  const addresses = news.settings.controlPlanes.flatMap(({ name, clusterAddress }) => {
    const old = olds.settings.controlPlanes.find((machine) => machine.name === name);
    const another = olds.hostKeys[name] !== undefined && olds.hostKeys[name] !== news.hostKeys[name];
    if (!old || another || old.clusterAddress === clusterAddress) return [];
    return [
      `${name}: its cluster address cannot change from ${old.clusterAddress} to ${clusterAddress}: etcd and the ` +
        `certificates name the old one. Next: give the machine its old address back, or replace it by another machine.`,
    ];
  });
  return [...settings, ...addresses];
}

/**
 * Machines that are to be prepared less far than they are, while there is a cluster on them: what the later stages undo would take it
 * along.
 *
 * @param running whether this stack's cluster is there
 * @param byHand what somebody made by hand, by the machine's name
 * @returns a text for each, with the way to do it
 */
export function loweredPreparation(olds: Dated, news: Dated, running: boolean, byHand: Readonly<Record<string, string>>): string[] {
  const [before, wanted] = [olds.settings.prepareTo, news.settings.prepareTo];
  if (reaches(wanted, before)) return [];
  const what = `prepareTo: ${before} cannot become ${wanted} while there is a cluster`;
  return [
    ...(running ? [`${what}: it would be lost with all that is in it. Next: set it back to ${before}; or, to lose it, run \`pulumi destroy\` and \`pulumi up\` with ${wanted}.`] : []),
    ...Object.entries(byHand).map(
      ([machine, found]) =>
        `${what} that somebody made by hand on ${machine} (${found}): it would be lost. Next: set it back to ${before}; or, to lose it, run \`npx pulumi-kubeadm wipe ${machine}\` first.`,
    ),
  ];
}

/**
 * Workers that become control planes under their names. Their machines hold a kubelet that has joined as a worker, and the engine
 * would take the workers' resources away at the end, when they are control planes.
 *
 * @returns a text for each, with the way to do it
 */
export function promotedWorkers(olds: Dated, news: Dated): string[] {
  return news.settings.controlPlanes
    .filter(({ name }) => olds.settings.workers.some((worker) => worker.name === name))
    .map(({ name }) => `${name}: it is a worker, and cannot become a control plane in one step. Next: take it out of workers and run \`pulumi up\`; then add it to controlPlanes and run it again.`);
}

/**
 * Machines that stay under another name. The engine would make the new resources before it deletes the old ones, on one machine:
 * what the deletes undo would be the new node.
 *
 * @returns a text for each, with the way to do it
 */
export function renamedMachines(olds: Dated, news: Dated): string[] {
  const machines = ({ controlPlanes, workers }: ClusterSettings) => [...controlPlanes, ...workers].map(({ name }) => name);
  return machines(olds.settings).flatMap((name) => {
    const key = olds.hostKeys[name];
    const now = machines(news.settings).find((other) => other !== name && key !== undefined && news.hostKeys[other] === key && olds.hostKeys[other] !== key);
    if (now === undefined) return [];
    return [`${now}: this machine is the node ${name}, and a node cannot be renamed. Next: take ${name} out and run \`pulumi up\`; then add ${now} and run it again.`];
  });
}
