import { z } from "zod";
import { MachineError } from "../machine/errors.ts";
import { inspect } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Observation } from "../quorum/observation.ts";
import { certificateSchema, readCertificate, type Certificate } from "./certificate.ts";
import type { Member } from "./member.ts";
import { observe, type ObservedMachine } from "./observe.ts";
import { onControlPlane } from "./on-control-plane.ts";
import { observed, type SharedSettings } from "./reconcile.ts";

/** What a control-plane machine tells of itself. */
export interface MachineFacts {
  readonly certificates: readonly Certificate[];
  /** Whether the API's floating address is on the machine. */
  readonly holdsVip: boolean;
}

/** What the cluster tells of a node. */
export interface NodeFacts {
  readonly name: string;
  readonly ready: boolean;
  /** Takes no new pods. */
  readonly cordoned: boolean;
  /** Version of the kubelet. */
  readonly kubelet: string;
}

/** What one look at a cluster gives. */
export interface StatusFacts {
  readonly observation: Observation;
  /** In the observation's order; undefined for a machine that cannot be asked. */
  readonly machines: readonly (MachineFacts | undefined)[];
  /** Undefined when no apiserver tells them. */
  readonly nodes: readonly NodeFacts[] | undefined;
}

const machineSchema = z.object({
  facts: z.object({ certificates: z.array(certificateSchema), holdsVip: z.boolean() }),
});
const nodesSchema = z.object({ facts: z.object({ nodes: z.string() }) });

/**
 * Looks at every machine of a control plane and at the cluster's nodes; changes nothing. A machine that does not answer is a part of
 * what is told.
 *
 * @param leaving control planes that left the settings and may still be members
 * @throws MachineError for a machine of the settings that answers and cannot be looked at
 */
export async function lookAtStatus(
  cluster: SharedSettings,
  members: readonly Member[],
  leaving: readonly Member[],
  reporter: Reporter,
): Promise<StatusFacts> {
  const all = observed(members, leaving);
  const observation = await observe(all, cluster, reporter);
  // Who did not answer then is not waited for again.
  const answers = (index: number) => observation.machines[index]!.unreachable === undefined;
  const [machines, nodes] = await Promise.all([
    Promise.all(all.map((member, index) => (answers(index) ? factsOf(member, cluster, reporter) : undefined))),
    nodesOf(readyFirst(all.filter((_, index) => answers(index)), observation), reporter),
  ]);
  return { observation, machines, nodes };
}

async function factsOf({ target }: Member, { endpoint }: SharedSettings, reporter: Reporter): Promise<MachineFacts | undefined> {
  const environment = { ENDPOINT_VIP: endpoint.vip ?? "", ASK_NODES: "" };
  const document = await unlessSilent(inspect(target, "status", renderScript("status.sh"), environment, reporter));
  if (document === undefined) return undefined;
  const { certificates, holdsVip } = machineSchema.parse(document).facts;
  return { certificates: certificates.flatMap(readCertificate), holdsVip };
}

async function nodesOf(members: readonly Member[], reporter: Reporter): Promise<NodeFacts[] | undefined> {
  if (members.length === 0) return undefined;
  const document = await unlessSilent(onControlPlane(members, "status.sh", "inspect", reporter, { ENDPOINT_VIP: "", ASK_NODES: "yes" }));
  if (document === undefined) return undefined;
  const lines = nodesSchema.parse(document).facts.nodes.split("\n").filter(Boolean);
  return lines.map((line) => {
    const [name = "", ready = "", unschedulable = "", kubelet = ""] = line.split("\t");
    return { name, ready: ready === "True", cordoned: unschedulable === "true", kubelet };
  });
}

/** What cannot be asked is not known, and shown as that. */
async function unlessSilent(document: Promise<unknown>): Promise<unknown> {
  try {
    return await document;
  } catch (error) {
    if (error instanceof MachineError) return undefined;
    throw error;
  }
}

function readyFirst(members: readonly ObservedMachine[], { machines }: Observation): ObservedMachine[] {
  const isReady = (member: ObservedMachine) => machines.some((report) => report.name === member.name && report.wanted === member.wanted && report.ready === true);
  return [...members].sort((a, b) => Number(isReady(b)) - Number(isReady(a)));
}
