import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { ClassSettings } from "../class-file.ts";
import { Journal } from "../journal.ts";
import { chosenStudents, faultsText, loadClassroom, type ClassFiles } from "../load.ts";
import { parallelStudents, thisComputer } from "../parallelism.ts";
import type { Student } from "../roster.ts";

/** What every command is told. */
export interface ClassOptions {
  /** Path of the class file. */
  readonly class: string;
}

/** The option with which every command is told its class. */
export const withClass = (command: Command): Command => command.option("--class <file>", "the class file", "class.yaml");

/** A class that a command works on. */
export interface Context {
  readonly klass: ClassSettings;
  /** Everybody whom the roster names. */
  readonly students: readonly Student[];
  readonly journal: Journal;
  /** Those of the students that the command is about. */
  readonly chosen: readonly Student[];
}

/** @throws Error with every fault of both files; Error for a student who is not in the roster */
export function contextOf({ class: path }: ClassOptions, ids: readonly string[] = []): Context {
  const files = loadClassroom(path);
  const { klass, faults } = files;
  if (!klass || faults.length > 0) throw new Error(`${faultsText(faults)}\nNext: correct them (docs/classroom.md lists settings and columns) and run the command again.`);
  return contextIn(klass, files, ids);
}

/** The same of files that were read. @throws Error for a student who is not in the roster */
export function contextIn(klass: ClassSettings, { students, faults }: ClassFiles, ids: readonly string[]): Context {
  const journal = new Journal(klass);
  // While a file has a fault nobody can say who is in the roster.
  if (faults.length > 0) return { klass, students, journal, chosen: students.filter(({ id }) => ids.length === 0 || ids.includes(id)) };
  const gone = journal.students().filter((id) => students.every((student) => student.id !== id));
  if (gone.length > 0) {
    console.error(
      `Not in the roster any more, and their machines were not given back: ${gone.join(", ")}. ` +
        "Next: put their lines back into the roster, and run `classroom down` for them before you take them out.",
    );
  }
  return { klass, students, journal, chosen: chosenStudents(students, ids) };
}

/** How many students at the same time, and why. */
export function parallelismOf({ klass }: Context, wanted: string | undefined): { readonly students: number; readonly reason: string } {
  if (wanted !== undefined) {
    const students = Number(wanted);
    if (!Number.isInteger(students) || students < 1) throw new Error(`--parallel must be a whole number from 1 on, not ${wanted}`);
    return { students, reason: "as --parallel says" };
  }
  return klass.parallelism === undefined ? parallelStudents(thisComputer()) : { students: klass.parallelism, reason: "as the class file says" };
}

/**
 * Asks before something is lost.
 *
 * @throws Error when nobody is there to answer, or the answer is no
 */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new Error("Nothing was done: nobody is there to confirm it. Next: add --yes.");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^(y|yes|ㅛ|예|네)$/i.test(answer.trim())) throw new Error("Nothing was done.");
}
