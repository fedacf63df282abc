import type { ClusterSettings, MachineSettings } from "../kubeadm/settings.ts";
import { isPatch, minorOf, resolveVersion } from "../kubeadm/versions.ts";
import { byHandText } from "../machine/by-hand.ts";
import { connect } from "../machine/connection.ts";
import { inspect } from "../machine/inspect.ts";
import { parseFacts, preflightEnvironment } from "../machine/preflight/facts.ts";
import type { Observation } from "../machine/preflight/fault.ts";
import { faultsOf, faultText, type Failure } from "../machine/preflight/faults.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import { listName, readNotGivenBack } from "./not-given-back.ts";
import type { SshTarget } from "../machine/target.ts";
import { bastionKeyName, targetOf, type HostKeys } from "./target.ts";

/** What is remembered from earlier runs. */
export interface KnownBefore {
  /** `project/stack/cluster`. */
  readonly owner: string;
  /** Host keys by machine. */
  readonly hostKeys?: HostKeys;
  /** The patch version that the cluster was made with. */
  readonly kubernetesVersion?: string;
}

/** What looking at all machines gave. */
export interface PreflightResult {
  /** Every fault of every machine, a text each; empty when the work may begin. */
  readonly faults: string[];
  /** Host keys by machine: those shown now, and those known before of machines that did not answer. */
  readonly hostKeys: Record<string, string>;
  /** The cluster's patch version; undefined when no machine could tell which there are. */
  readonly kubernetesVersion?: string;
  /** True when a machine is a node of this cluster already. */
  readonly running: boolean;
  /** What somebody made by hand on machines of this cluster, by the machine's name. */
  readonly byHand: Readonly<Record<string, string>>;
  /** Machines on which a reset that keeps the cluster's CA has not ended. */
  readonly resetting: readonly string[];
}

/**
 * Looks at all machines at once, changes nothing, and tells every fault of every machine.
 *
 * @param settings with the machines whose addresses are known
 */
export async function runPreflight(settings: ClusterSettings, known: KnownBefore, reporter: Reporter): Promise<PreflightResult> {
  const machines = [...settings.controlPlanes, ...settings.workers];
  const made = satisfies(settings.kubernetesVersion, known.kubernetesVersion) ? known.kubernetesVersion : undefined;
  const hostKeys = knownKeys(settings, known.hostKeys);
  const observations: Observation[] = [];
  const failures: Failure[] = [];
  const environment = preflightEnvironment(settings, known.owner, made);
  const script = renderScript("preflight.sh");
  reporter.progress(`looking at ${machines.length === 1 ? "the machine" : `${machines.length} machines`}`);

  await Promise.all(
    machines.map(async (machine) => {
      // A key in the settings wins: it is the word with which another machine takes over a name.
      const target = targetOf(settings.ssh, machine, { ...known.hostKeys, ...(machine.hostKey && { [machine.name]: machine.hostKey }) });
      try {
        const connection = await connect(target, reporter);
        hostKeys[machine.name] = connection.hostKey;
        if (settings.ssh.bastion && connection.bastionHostKey) hostKeys[bastionKeyName(settings.ssh.bastion)] = connection.bastionHostKey;
        const sent = Date.now() / 1000;
        const facts = parseFacts(await inspect(target, "preflight", script, environment, reporter));
        observations.push({ machine, role: roleOf(machine, settings), facts, sent, received: Date.now() / 1000 });
      } catch (error) {
        failures.push({ machine: machine.name, error: error as Error });
      }
    }),
  );

  const order = (name: string) => machines.findIndex((machine) => machine.name === name);
  observations.sort((a, b) => order(a.machine.name) - order(b.machine.name));
  failures.sort((a, b) => order(a.machine) - order(b.machine));

  const running = observations.some(({ facts }) => facts.owner === known.owner && facts.joined);
  const versionFault = running ? fixedVersionFault(settings.kubernetesVersion, known.kubernetesVersion) : undefined;
  const kubernetesVersion = (running ? known.kubernetesVersion : made) ?? versionFor(settings.kubernetesVersion, observations);
  const verdict = faultsOf(observations, failures, { settings, owner: known.owner, kubernetesVersion });
  for (const note of verdict.notes) reporter.info(note);
  if (verdict.waived.length > 0) reporter.progress(`accepted: ${verdict.waived.map(({ machine, check }) => `${machine} ${check}`).join(", ")}`);
  return {
    faults: [...(versionFault ? [versionFault] : []), ...notGivenBack(machines, hostKeys), ...verdict.faults.map(faultText)],
    hostKeys,
    kubernetesVersion,
    running,
    byHand: Object.fromEntries(observations.flatMap(({ machine, facts }) => (facts.byHand ? [[machine.name, byHandText(facts.byHand)]] : []))),
    resetting: observations.filter(({ facts }) => facts.owner === known.owner && facts.resetting).map(({ machine }) => machine.name),
  };
}

/** The keys of machines that left the settings are forgotten: another machine may get the name one day. */
function knownKeys(settings: ClusterSettings, known: HostKeys = {}): Record<string, string> {
  const { bastion } = settings.ssh;
  const names = new Set([...settings.controlPlanes, ...settings.workers].map(({ name }) => name));
  if (bastion) names.add(bastionKeyName(bastion));
  return Object.fromEntries(Object.entries(known).filter(([name]) => names.has(name)));
}

/**
 * What a machine still holds of an earlier cluster must not come to life in a new one, nor be given back under its feet. Another
 * machine in its place, with another host key, holds nothing of it.
 */
function notGivenBack(machines: readonly MachineSettings[], hostKeys: HostKeys): string[] {
  const list = readNotGivenBack();
  const same = ({ name, host }: MachineSettings, target: SshTarget) =>
    target.name === name && target.host === host && (target.hostKey === undefined || target.hostKey === hostKeys[name]);
  return machines
    .filter((machine) => list.some(({ target }) => same(machine, target)))
    .map(
      ({ name }) =>
        `${name}: it is in ${listName}/: it could not be reached when it was to be given back, and it still holds an earlier cluster. ` +
        `Next: run \`npx pulumi-kubeadm give-back ${name}\` first; or, if it was reinstalled, add --forget.`,
    );
}

function roleOf(machine: MachineSettings, settings: ClusterSettings): Observation["role"] {
  return settings.controlPlanes.includes(machine) ? "control-plane" : "worker";
}

/** The newest wanted version that every machine's repository has. A machine that has none tells its own fault. */
function versionFor(wanted: string, observations: readonly Observation[]): string | undefined {
  if (isPatch(wanted)) return wanted;
  const lists = observations.flatMap(({ facts }) => (facts.kubeadmVersions === null ? [] : [facts.kubeadmVersions]));
  const [first, ...rest] = lists;
  if (!first) return undefined;
  return resolveVersion(wanted, first.filter((version) => rest.every((list) => list.includes(version)))).version;
}

const satisfies = (wanted: string, made: string | undefined): boolean => made !== undefined && (wanted === made || wanted === minorOf(made));

/** A cluster keeps the version that it was made with. */
function fixedVersionFault(wanted: string, made: string | undefined): string | undefined {
  if (made === undefined || satisfies(wanted, made)) return undefined;
  return (
    `kubernetesVersion: this cluster runs ${made} and cannot become ${wanted} here: upgrades are kubeadm's ` +
    `(https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/). Next: set it back to "${minorOf(made)}" or "${made}".`
  );
}
