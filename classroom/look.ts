import pLimit from "p-limit";
import { targetOf, type HostKeys } from "../controlplane/target.ts";
import { parseSettings, type ClusterSettings, type SettingsInput } from "../kubeadm/settings.ts";
import { connect } from "../machine/connection.ts";
import { HostKeyError, MachineError, UnreachableError } from "../machine/errors.ts";
import { inspect } from "../machine/inspect.ts";
import { parseFacts, preflightEnvironment, type MachineFacts } from "../machine/preflight/facts.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import { settingsOf, type ClassSettings } from "./class-file.ts";
import { ownerOf } from "./project.ts";
import type { Student } from "./roster.ts";
import { inRosterWords } from "./roster-words.ts";

/** Why a machine could not be looked at. */
export interface LookFault {
  /**
   * `unreachable` may pass by itself; `another-machine` shows another host key than before; `refused` lets nobody in; `unreadable` lets
   * us in, and does not tell how it is.
   */
  readonly kind: "unreachable" | "another-machine" | "refused" | "unreadable";
  readonly problem: string;
  readonly next: string;
}

/** A machine of a student, and how to get there. */
export interface Place {
  readonly student: Student;
  /** Name of its node. */
  readonly machine: string;
  readonly host: string;
  readonly target: SshTarget;
  /** `project/stack/cluster` that it is to belong to. */
  readonly owner: string;
}

/** What came of looking at one machine of a student. */
export interface Look extends Place {
  readonly facts?: MachineFacts;
  /** Host key that it showed. */
  readonly hostKey?: string;
  readonly fault?: LookFault;
}

/** More at the same time would wait for this computer's processor, and look like machines that are slow to answer. */
const atTheSameTime = 50;

/** Says nothing. */
export const silent: Reporter = { progress: () => {}, info: () => {}, warn: () => {} };

/** The settings of a student with defaults: the roster was checked when it was loaded. */
export function parsedSettings(klass: ClassSettings, student: Student, written: SettingsInput = settingsOf(klass, student)): ClusterSettings {
  const { settings, faults } = parseSettings(written);
  if (!settings) throw new Error(faults.map(({ path, reason }) => `${path}: ${reason}`).join("\n"));
  return settings;
}

/**
 * The machines of a student, control planes first.
 *
 * @param hostKeys host keys that they must show; a machine without one is at its first contact
 */
export function placesOf(klass: ClassSettings, student: Student, hostKeys: HostKeys = {}): Place[] {
  return placesIn(klass, student, parsedSettings(klass, student), hostKeys);
}

function placesIn(klass: ClassSettings, student: Student, { ssh, controlPlanes, workers }: ClusterSettings, hostKeys: HostKeys): Place[] {
  return [...controlPlanes, ...workers].map((machine) => ({
    student,
    machine: machine.name,
    host: machine.host,
    target: targetOf(ssh, machine, { ...hostKeys, ...(machine.hostKey && { [machine.name]: machine.hostKey }) }),
    owner: ownerOf(klass, student),
  }));
}

/**
 * Looks at every machine of these students at once and changes nothing.
 *
 * @param hostKeys host keys that machines must show, by student; a machine without one is at its first contact
 */
export async function look(klass: ClassSettings, students: readonly Student[], hostKeys: (student: Student) => HostKeys = () => ({})): Promise<Look[]> {
  const limit = pLimit(atTheSameTime);
  const looks = students.map(async (student) => {
    const settings = parsedSettings(klass, student);
    return Promise.all(placesIn(klass, student, settings, hostKeys(student)).map((place) => limit(() => lookAt(place, settings))));
  });
  return (await Promise.all(looks)).flat();
}

async function lookAt(place: Place, settings: ClusterSettings): Promise<Look> {
  const { target, owner, student } = place;
  try {
    const { hostKey } = await connect(target, silent);
    const facts = parseFacts(await inspect(target, "preflight", renderScript("preflight.sh"), preflightEnvironment(settings, owner), silent));
    return { ...place, target: { ...target, hostKey }, hostKey, facts };
  } catch (error) {
    return { ...place, fault: faultOf(error, student) };
  }
}

/**
 * What an error says of the machine that was looked at.
 *
 * @throws the error when it is none of a machine
 */
export function faultOf(error: unknown, student: Student): LookFault {
  if (!(error instanceof MachineError)) throw error;
  return { kind: kindOf(error), problem: error.cause, next: inRosterWords(error.next, student) };
}

function kindOf(error: MachineError): LookFault["kind"] {
  if (error instanceof UnreachableError) return "unreachable";
  if (error instanceof HostKeyError) return "another-machine";
  return error.stage === "connect" || error.stage === "sudo" ? "refused" : "unreadable";
}
