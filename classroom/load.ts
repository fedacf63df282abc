import { readFileSync } from "node:fs";
import { closestTo } from "../kubeadm/suggestion.ts";
import { ClassFileError, readClass, settingsFaults, type ClassSettings } from "./class-file.ts";
import { keyFaults } from "./keys.ts";
import { readRoster, type RosterFault, type Student } from "./roster.ts";
import { shown } from "./shown.ts";

/** A class with its students, without a fault in either file. */
export interface Classroom {
  readonly klass: ClassSettings;
  readonly students: readonly Student[];
}

/** The roster cannot be used; the message has every fault with its line. */
export class RosterError extends Error {
  override readonly name = "RosterError";
}

/**
 * Reads the class file and the roster that it names, and looks at no machine.
 *
 * @throws ClassFileError or RosterError with every fault at once
 */
export function loadClassroom(path: string): Classroom {
  const klass = readClass(path);
  const keys = keyFaults(klass);
  if (keys.length > 0) throw new ClassFileError(keys.map((fault) => `${shown(path)}: ${fault}`).join("\n"));
  const { students, faults } = readRoster(rosterBytes(klass, path), { shape: klass.shape, port: klass.cluster.ssh?.port });
  const all = [...faults, ...(faults.length > 0 ? [] : students.flatMap((student): RosterFault[] => settingsFaults(klass, student).map((reason) => ({ line: student.line, reason }))))];
  if (all.length === 0) return { klass, students };
  const file = shown(klass.roster);
  const list = all.map(({ line, column, reason }) => `${file}:${line}${column === undefined ? "" : `:${column}`}: ${reason}`);
  throw new RosterError(`The roster has ${all.length === 1 ? "a fault" : `${all.length} faults`}; nothing was touched:\n${list.join("\n")}\nNext: correct ${file} and run the command again.`);
}

function rosterBytes({ roster }: ClassSettings, path: string): Uint8Array {
  try {
    return readFileSync(roster);
  } catch (error) {
    throw new RosterError(`The roster ${roster} cannot be read (${(error as NodeJS.ErrnoException).code}). Next: export it from the spreadsheet as CSV, or correct \`roster\` in ${path}.`);
  }
}

/**
 * The students of these ids, in the roster's order.
 *
 * @param ids all when empty
 * @throws Error that names the ids that nobody has
 */
export function chosenStudents(students: readonly Student[], ids: readonly string[]): readonly Student[] {
  if (ids.length === 0) return students;
  const known = students.map(({ id }) => id);
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    const meant = unknown.map((id) => closestTo(id, known)).filter((id) => id !== undefined);
    throw new Error(`not in the roster: ${unknown.join(", ")}${meant.length > 0 ? `; did you mean ${meant.join(", ")}?` : ""}`);
  }
  return students.filter(({ id }) => ids.includes(id));
}
