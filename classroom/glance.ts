import pLimit from "p-limit";
import { z } from "zod";
import { certificateSchema, readCertificate, type Certificate } from "../controlplane/certificate.ts";
import { byHandSchema } from "../machine/by-hand.ts";
import { inspect } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import { preparationOf, type ClassSettings } from "./class-file.ts";
import type { Journal } from "./journal.ts";
import { faultOf, placesOf, silent, type LookFault, type Place } from "./look.ts";
import type { Student } from "./roster.ts";
import { statusOf, type StudentStatus } from "./status.ts";

/** What scripts/glance.sh prints. Students are root on their machines: a text may be anything, and of any length. */
const sightSchema = z.object({
  /** `project/stack/cluster` that the machine belongs to; empty for none. */
  owner: z.string(),
  /** Stages that have changed something, in the order in which they began. */
  stages: z.array(z.string()).max(50),
  /** True when the machine is a node of the student's cluster. */
  joined: z.boolean(),
  /** What somebody made on it by hand; null for nothing. */
  byHand: byHandSchema.nullable(),
  /** The kit's job that runs now: its stage, its verb, since when (as ISO 8601), and what it said last. */
  job: z.object({ stage: z.string(), verb: z.string(), since: z.string(), doing: z.string() }).nullable(),
  /** The file system with images, containers and etcd's data. */
  disk: z.object({ availableBytes: z.number(), sizeBytes: z.number() }).nullable(),
  certificates: z
    .array(certificateSchema)
    .max(100)
    .transform((list): Certificate[] => list.flatMap(readCertificate)),
  /** What the cluster says; null on a machine that cannot ask it. */
  cluster: z.union([z.object({ nodes: z.string(), pods: z.string() }), z.object({ error: z.string() })]).nullable(),
});

/** How a machine is, as it tells itself. */
export type Sight = z.output<typeof sightSchema>;

/** What came of a glance at one machine of a student. */
export interface Glance extends Place {
  readonly sight?: Sight;
  readonly fault?: LookFault;
}

/** A machine that takes longer is as good as one that does not answer. */
const longestSeconds = 60;

/**
 * Glances at the same time. It only keeps this computer from a thousand logins in one moment: a machine that does not answer holds a
 * place for its whole connect timeout.
 */
const places = pLimit(256);

/**
 * Glances at a student's machines and changes nothing. Quicker than `look`, which asks all that `up` needs to know.
 *
 * @param journal has the host keys of the machines that are the class's
 * @returns a glance for each machine, control planes first
 */
export async function glance(klass: ClassSettings, student: Student, journal: Pick<Journal, "hostKeys">): Promise<Glance[]> {
  return Promise.all(placesOf(klass, student, journal.hostKeys(student.id)).map((place) => places(() => glanceAt(place))));
}

/** How a student is now. */
export async function see(klass: ClassSettings, student: Student, journal: Journal): Promise<StudentStatus> {
  return statusOf(student, await glance(klass, student, journal), journal, preparationOf(klass));
}

async function glanceAt(place: Place): Promise<Glance> {
  try {
    const document = await inspect(place.target, "glance", renderScript("glance.sh"), {}, silent, longestSeconds);
    const { data, error } = sightSchema.safeParse(document);
    if (data) return { ...place, sight: data };
    const problem = `what it tells of itself cannot be read: ${z.prettifyError(error).split("\n")[0]}`;
    return { ...place, fault: { kind: "unreadable", problem, next: "look whether bash and kubectl on the machine are those that its packages brought" } };
  } catch (error) {
    return { ...place, fault: faultOf(error, place.student) };
  }
}
