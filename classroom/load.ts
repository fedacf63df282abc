import { readFileSync } from "node:fs";
import { closestTo } from "../kubeadm/suggestion.ts";
import { readClass, settingsFaults, type ClassSettings, type RosterFile } from "./class-file.ts";
import { count } from "./count.ts";
import { readRoster, type RosterFault, type Student } from "./roster.ts";
import { shown } from "./shown.ts";

/** Something in class file or roster that must be put right before anything starts. */
export interface FileFault extends Partial<RosterFault> {
  /** Path of the file, as it is shown. */
  readonly file: string;
  readonly reason: string;
}

/** What the two files of a class say, as far as no fault leaves that open. */
export interface ClassFiles {
  /** Absent where a fault leaves open how machines are reached. */
  readonly klass?: ClassSettings;
  /** Everybody whom the roster names. */
  readonly students: readonly Student[];
  /** Those of them on whose line there is no fault. */
  readonly sound: readonly Student[];
  /** Of both files; `klass` is there and all students are sound when there is none. */
  readonly faults: readonly FileFault[];
}

/** Reads the class file and the roster that it names, and looks at no machine. */
export function loadClassroom(path: string): ClassFiles {
  const { klass, roster, faults: inClass } = readClass(path);
  const { students, sound, faults: inRoster } = roster ? readStudents(roster) : { students: [], sound: [], faults: [] };
  return { klass, students, sound, faults: [...inClass.map((fault) => ({ ...fault, file: shown(path) })), ...inRoster] };
}

function readStudents({ path, rules, shared }: RosterFile): Pick<ClassFiles, "students" | "sound" | "faults"> {
  const file = shown(path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = `cannot be read (${(error as NodeJS.ErrnoException).code}). Next: export it from the spreadsheet as CSV, or correct \`roster\` in the class file`;
    return { students: [], sound: [], faults: [{ file, reason }] };
  }
  const { students, faults } = readRoster(bytes, rules);
  const without = (others: readonly RosterFault[]) => (student: Student) => others.every(({ line }) => line !== student.line);
  const readable = students.filter(without(faults));
  const unfit = shared ? readable.flatMap((student) => settingsFaults(shared, student).map((reason): RosterFault => ({ line: student.line, reason }))) : [];
  return { students, sound: readable.filter(without(unfit)), faults: [...faults, ...unfit].sort((a, b) => a.line - b.line).map((fault) => ({ ...fault, file })) };
}

/** All faults under a heading, a line each. */
export function faultsText(faults: readonly FileFault[]): string {
  const files = [...new Set(faults.map(({ file }) => file))].join(" and ");
  const list = faults.map(({ file, line, column, reason }) => `${[file, line, column].filter((part) => part !== undefined).join(":")}: ${reason}`);
  return [`${count(faults.length, "fault")} in ${files}; nothing was touched:`, ...list].join("\n");
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
