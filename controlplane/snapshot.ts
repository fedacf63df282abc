import { z } from "zod";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Observation } from "../quorum/observation.ts";
import { memberOf } from "../quorum/ring.ts";
import type { Member } from "./member.ts";
import type { ObservedMachine } from "./observe.ts";

const snapshotSchema = z.object({
  /** On the control plane that it was taken on. */
  path: z.string(),
  /** Of the whole file, hexadecimal. */
  sha256: z.string(),
  bytes: z.number(),
});

/** A snapshot of etcd on one of the control planes. */
export type Snapshot = Readonly<z.output<typeof snapshotSchema>>;

/** The largest database that etcd advises, 8 GiB, is read a few times. */
const deadlineSeconds = 900;

/**
 * Takes a snapshot of etcd on a control plane, verifies it and keeps it there with its checksum; of earlier ones the newest stay.
 *
 * @param directory on that machine; made when it is not there
 * @throws MachineError when etcd does not run there, gives none, or the disk has no room
 */
export async function takeSnapshot(member: Member, directory: string, holder: string, reporter: Reporter): Promise<Snapshot> {
  const document = await runJob({
    target: member.target,
    stage: "etcd-snapshot",
    verb: "apply",
    script: renderScript("etcd-snapshot.sh"),
    environment: { NODE_NAME: member.name, SNAPSHOT_DIRECTORY: directory },
    deadlineSeconds,
    reporter,
    holder,
  });
  return snapshotSchema.parse(document);
}

/** A machine whose etcd can give a snapshot. */
export type SnapshotSource = ObservedMachine & {
  /** Why its etcd counts as sick; a snapshot of it may miss the last writes. */
  readonly sick?: string;
};

/** The machines whose etcd answers, the best to take a snapshot from first: healthy ones, and of these the followers, to spare the leader. */
export function snapshotOrder(machines: readonly ObservedMachine[], observation: Observation): SnapshotSource[] {
  const answering = observation.machines.flatMap((report, index) => {
    const member = memberOf(observation, report);
    if (!report.etcd || member?.learner) return [];
    return [{ source: { ...machines[index]!, sick: member ? member.sick : "the control planes do not agree on its membership" }, leads: member?.leader === true }];
  });
  return answering.sort((a, b) => Number(a.source.sick !== undefined) - Number(b.source.sick !== undefined) || Number(a.leads) - Number(b.leads)).map(({ source }) => source);
}
