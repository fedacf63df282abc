import pLimit from "p-limit";
import { preparationOf, type ClassSettings } from "./class-file.ts";
import type { Halt } from "./halt.ts";
import type { Before, Journal } from "./journal.ts";
import type { Look } from "./look.ts";
import { duration, failureOfLooks, notBegun, readyText, type Result } from "./outcome.ts";
import { traitsOf } from "./proof.ts";
import type { Student } from "./roster.ts";
import type { Screen } from "./screen.ts";
import type { Failure, Outcome, StudentStack } from "./stacks.ts";

/** What bringing up a class works with. */
export interface Work {
  readonly klass: ClassSettings;
  readonly journal: Journal;
  readonly stackOf: (student: Student) => StudentStack;
  /** Looks at all machines of these students and changes nothing. */
  readonly look: (students: readonly Student[]) => Promise<Look[]>;
  /** Students at the same time. */
  readonly parallelism: number;
  readonly screen: Screen;
  readonly halt: Halt;
}

/**
 * Makes the clusters of these students, each by itself: what is wrong with one is no other's matter. Machines that do not answer are
 * tried once more when all others are done.
 *
 * @param counts are kept up to date
 * @returns how it ended for each, in the order of the students
 */
export async function bringUp(students: readonly Student[], work: Work, counts: Counts = new Counts(students.length)): Promise<Result[]> {
  const { screen, halt } = work;
  const outcomes = new Map<Student, Outcome>();
  const end = (student: Student, outcome: Outcome) => {
    outcomes.set(student, outcome);
    counts.end(outcome);
    screen.rests(student, outcome.ok ? `${readyText(preparationOf(work.klass))} after ${duration(outcome.seconds)}` : outcome.failure.problem);
  };
  const again: Student[] = [];
  await tryEach(students, work, counts, (student, outcome) => {
    if (outcome.ok || outcome.failure.kind !== "unreachable" || halt.requested) return end(student, outcome);
    screen.rests(student, `${outcome.failure.problem}; is tried once more when the others are done`);
    again.push(student);
  });
  await tryEach(again, work, counts, end);
  return students.map((student) => ({ student, outcome: outcomes.get(student)! }));
}

/** One try for each of them. @param ended is told of each when it has ended */
async function tryEach(students: readonly Student[], work: Work, counts: Counts, ended: (student: Student, outcome: Outcome) => void): Promise<void> {
  if (students.length === 0) return;
  const { journal, look, parallelism, screen, halt, stackOf } = work;
  screen.note(`Looking at the machines of ${students.length === 1 ? students[0]!.id : `${students.length} students`}.`);
  const looks = await look(students);
  const limit = pLimit(parallelism);
  let broken: Failure | undefined;
  await Promise.all(
    students.map(async (student) => {
      const own = looks.filter((seen) => seen.student === student);
      journal.keepBefore(student.id, own.flatMap(asBefore));
      const failure = failureOfLooks(own);
      if (failure) {
        const outcome: Outcome = { ok: false, seconds: 0, failure: { ...failure, problem: `line ${student.line}: ${failure.problem}` } };
        journal.note(student.id, "up", outcome);
        return ended(student, outcome);
      }
      await limit(async () => {
        if (halt.requested) return ended(student, notBegun);
        if (broken) return ended(student, { ok: false, seconds: 0, failure: { ...broken, problem: `not begun: ${broken.problem}` } });
        counts.begin();
        screen.moves(student, "starting");
        const outcome = await stackOf(student).up((text) => screen.moves(student, text), halt);
        counts.pause();
        // What is wrong with Pulumi itself would be wrong for everybody.
        if (!outcome.ok && outcome.failure.kind === "environment") broken = outcome.failure;
        ended(student, outcome);
      });
    }),
  );
}

/** A machine that does not belong to the class yet, as it is to be found again at the end. */
function asBefore({ machine, facts, hostKey, owner }: Look): Before[] {
  return facts && hostKey && facts.owner !== owner ? [{ machine, hostKey, traits: traitsOf(facts) }] : [];
}

/** How far a class is, for the line under the moving ones. */
export class Counts {
  readonly #all: number;
  #running = 0;
  #ready = 0;
  #failed = 0;

  constructor(all: number) {
    this.#all = all;
  }

  begin(): void {
    this.#running += 1;
  }

  pause(): void {
    this.#running -= 1;
  }

  end({ ok }: Outcome): void {
    if (ok) this.#ready += 1;
    else this.#failed += 1;
  }

  toString(): string {
    const waiting = this.#all - this.#running - this.#ready - this.#failed;
    return `${this.#ready} ready, ${this.#running} running, ${waiting} waiting, ${this.#failed} not ready`;
  }
}
