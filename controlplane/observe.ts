import { caCertHashOf } from "../kubeadm/kubeconfig.ts";
import { HostKeyError, MachineError, UnreachableError } from "../machine/errors.ts";
import { inspect } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import { combine } from "../quorum/combine.ts";
import type { MachineReport, MachineState, Observation } from "../quorum/observation.ts";
import { peerUrlOf } from "../quorum/owners.ts";
import { etcdViewOf } from "./etcd-view.ts";
import type { Member } from "./member.ts";
import type { SharedSettings } from "./reconcile.ts";

/** A machine of the settings, or one that left them and may still be a member. */
export interface ObservedMachine extends Member {
  readonly wanted: boolean;
}

/** What looking at a machine needs of the settings. */
export type ObservedCluster = { readonly endpoint: Pick<SharedSettings["endpoint"], "port">; readonly owner: string };

/** What `scripts/control-plane.sh inspect` prints. */
interface ControlPlaneDocument {
  readonly drift: string[];
  readonly facts: {
    readonly state: MachineState;
    readonly recovering: boolean;
    readonly ready: boolean;
    /** Base64; empty where there is none. */
    readonly caCert: string;
    /** Base64, of the CA whose keys a reset that has not ended keeps there; empty where there is none. */
    readonly keptCaCert: string;
    readonly etcd: { readonly list: string; readonly statuses: string } | null;
  };
}

/** While a member joins or leaves, views that are taken a moment apart may differ, and a new leader is elected. */
const settlingSeconds = 30;

/** What a machine told. An old machine and the one that takes its place may have one name. */
export const reportOf = ({ name, wanted }: Pick<ObservedMachine, "name" | "wanted">, { machines }: Observation): MachineReport | undefined =>
  machines.find((report) => report.name === name && report.wanted === wanted);

/** Looks at one control-plane machine; changes nothing. */
export async function inspectMember(member: Member, cluster: ObservedCluster, reporter: Reporter): Promise<ControlPlaneDocument> {
  const environment = { NODE_NAME: member.name, API_PORT: String(cluster.endpoint.port), OWNER: cluster.owner };
  return (await inspect(member.target, "control-plane", renderScript("control-plane.sh"), environment, reporter)) as ControlPlaneDocument;
}

/** The control plane as it is, and the machines that it was put together from. */
export interface Look {
  readonly observation: Observation;
  /** One for each name among the wanted, and one among those that left. */
  readonly machines: readonly ObservedMachine[];
}

/**
 * Looks at every control-plane machine at once, and puts together what they tell. A machine that does not answer, or in whose place
 * another one answers, is told as such.
 *
 * @throws MachineError for a machine that answers and cannot be looked at: what is not known is not acted on
 */
export async function look(machines: readonly ObservedMachine[], cluster: ObservedCluster, reporter: Reporter): Promise<Look> {
  const deadline = Date.now() + settlingSeconds * 1000;
  for (;;) {
    const seen = await Promise.all(machines.map(async (machine) => ({ machine, report: await reportOn(machine, cluster, reporter) })));
    const told = onePerName(seen);
    const observation = combine(told.map(({ report }) => report));
    if (isSettled(observation) || Date.now() > deadline) return { observation, machines: told.map(({ machine }) => machine) };
    reporter.progress("the members of etcd do not agree yet: looking again");
  }
}

/** What `look` sees. */
export const observe = async (...args: Parameters<typeof look>): Promise<Observation> => (await look(...args)).observation;

interface Told {
  readonly machine: ObservedMachine;
  readonly report: MachineReport;
}

/**
 * Several machines that left may have had one name, one after the other. The one that matters now is taken: a member, else one that
 * holds something; the others have their turn when it is gone.
 */
function onePerName(seen: readonly Told[]): Told[] {
  const listed = seen.flatMap(({ report }) => report.etcd?.members ?? []);
  const worth = ({ report: { name, address, etcd, unreachable, state } }: Told) => {
    if (listed.some((member) => (etcd ? member.id === etcd.memberId : member.name === name && member.peerUrls.includes(peerUrlOf(address))))) return 2;
    return unreachable === undefined && state !== "none" ? 1 : 0;
  };
  return seen.filter((told) => {
    const namesakes = seen.filter(({ report }) => report.name === told.report.name && report.wanted === told.report.wanted);
    const best = Math.max(...namesakes.map(worth));
    return told === namesakes.find((other) => worth(other) === best);
  });
}

/** Whether the members that answer agree, on their leader too. */
function isSettled({ disagreement, members }: Observation): boolean {
  return !disagreement && members.every(({ status }) => !status || status.leader !== "0");
}

const hashOf = (base64: string): string => caCertHashOf(Buffer.from(base64, "base64").toString());

async function reportOn(machine: ObservedMachine, cluster: ObservedCluster, reporter: Reporter): Promise<MachineReport> {
  const { name, clusterAddress: address, wanted } = machine;
  try {
    const { state, recovering, ready, caCert, keptCaCert, etcd } = (await inspectMember(machine, cluster, reporter)).facts;
    return {
      name,
      address,
      wanted,
      state,
      recovering,
      ready,
      ...(caCert && { caCertHash: hashOf(caCert) }),
      ...(keptCaCert && { keptCaCertHash: hashOf(keptCaCert) }),
      ...(etcd && { etcd: etcdViewOf(etcd) }),
    };
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    // A machine that left may have been given to others, who let nobody in: the other members tell whether it is still one of them.
    if (wanted && !(error instanceof UnreachableError || error instanceof HostKeyError)) throw error;
    return { name, address, wanted, unreachable: error.cause.split("\n")[0]!.replace(/\.$/, "") };
  }
}
