import pLimit from "p-limit";
import { targetOf, type HostKeys } from "../controlplane/target.ts";
import { parseSettings, type ClusterSettings, type MachineSettings, type SettingsInput } from "../kubeadm/settings.ts";
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
  /** `unreachable` may pass by itself; `another-machine` shows another host key than before; `refused` lets nobody in. */
  readonly kind: "unreachable" | "another-machine" | "refused";
  readonly problem: string;
  readonly next: string;
}

/** What came of looking at one machine of a student. */
export interface Look {
  readonly student: Student;
  /** Name of its node. */
  readonly machine: string;
  readonly host: string;
  readonly target: SshTarget;
  /** `project/stack/cluster` that it is to belong to. */
  readonly owner: string;
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
 * Looks at every machine of these students at once and changes nothing.
 *
 * @param hostKeys host keys that machines must show, by student; a machine without one is at its first contact
 */
export async function look(klass: ClassSettings, students: readonly Student[], hostKeys: (student: Student) => HostKeys = () => ({})): Promise<Look[]> {
  const limit = pLimit(atTheSameTime);
  const looks = students.map(async (student) => {
    const settings = parsedSettings(klass, student);
    const machines = [...settings.controlPlanes, ...settings.workers];
    return Promise.all(machines.map((machine) => limit(() => lookAt(klass, student, settings, machine, hostKeys(student)))));
  });
  return (await Promise.all(looks)).flat();
}

async function lookAt(klass: ClassSettings, student: Student, settings: ClusterSettings, machine: MachineSettings, hostKeys: HostKeys): Promise<Look> {
  const target = targetOf(settings.ssh, machine, { ...hostKeys, ...(machine.hostKey && { [machine.name]: machine.hostKey }) });
  const owner = ownerOf(klass, student);
  const place = { student, machine: machine.name, host: machine.host, target, owner };
  try {
    const { hostKey } = await connect(target, silent);
    const facts = parseFacts(await inspect(target, "preflight", renderScript("preflight.sh"), preflightEnvironment(settings, owner), silent));
    return { ...place, target: { ...target, hostKey }, hostKey, facts };
  } catch (error) {
    return { ...place, fault: faultOf(error, student) };
  }
}

function faultOf(error: unknown, student: Student): LookFault {
  if (!(error instanceof MachineError)) throw error;
  const kind = error instanceof UnreachableError ? "unreachable" : error instanceof HostKeyError ? "another-machine" : "refused";
  return { kind, problem: error.cause, next: inRosterWords(error.next, student) };
}
