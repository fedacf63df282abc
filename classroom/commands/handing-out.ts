import { Ends } from "../handout/ends.ts";
import { handOut, writeSheet, type HandoutResult } from "../handout/hand-out.ts";
import { operatorKey } from "../handout/operator-key.ts";
import { Handouts } from "../handout/store.ts";
import { look } from "../look.ts";
import { explain } from "../outcome.ts";
import type { Student } from "../roster.ts";
import type { Screen } from "../screen.ts";
import { shown } from "../shown.ts";
import type { Context } from "./context.ts";

/**
 * What would keep everybody from being handed anything is told before anything is done.
 *
 * @throws Error: `ends` is over, or `instructorKeyPath` leads to no public key
 */
export function checkHandoutSettings({ klass }: Context): void {
  new Ends(klass);
  operatorKey(klass);
}

/** Hands out to these students, shows it, and writes the instructor's sheet. */
export async function handOutTo(chosen: readonly Student[], { klass, students, journal }: Context, screen: Screen): Promise<HandoutResult[]> {
  if (chosen.length === 0) return [];
  const handouts = new Handouts(klass);
  screen.note(`Handing out to ${chosen.length === 1 ? chosen[0]!.id : `${chosen.length} students`}.`);
  if (operatorKey(klass) === undefined) {
    screen.note("Your public key is not known: a student who clears the ~/.ssh of your user locks you out. Next: set instructorKeyPath in the class file and run `classroom up` again.");
  }
  const results = await handOut(chosen, { klass, handouts, look: (asked) => look(klass, asked, ({ id }) => journal.hostKeys(id)), moves: (student, text) => screen.moves(student, text) });
  for (const result of results) screen.rests(result.student, result.ok ? "handed out" : `not handed out: ${result.problem}`);
  await writeSheet(students, { klass, handouts });
  return results;
}

/** What came of it, for the end of a command; empty when nothing was handed out. */
export function handoutText(results: readonly HandoutResult[], { klass }: Context): string {
  if (results.length === 0) return "";
  const done = results.filter(({ ok }) => ok).length;
  const problems = results.flatMap((result) => (result.ok ? [] : [explain({ problem: `${result.student.id}: not handed out: ${result.problem}`, next: result.next })]));
  const directory = shown(new Handouts(klass).directory);
  const where = done === 0 ? "" : ` ${directory}/<student>.zip for each, ${directory}/instructor.pdf for you.`;
  return [...problems, `Handed out to ${done} of ${results.length}.${where}`].join("\n");
}
