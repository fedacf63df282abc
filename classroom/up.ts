import pLimit from "p-limit";
import { MachineError } from "../machine/errors.ts";
import type { Fingerprint } from "../machine/fingerprint.ts";
import { preparationOf, type ClassSettings } from "./class-file.ts";
import type { Halt } from "./halt.ts";
import { installedAnew, takeOffList } from "./installed-anew.ts";
import type { Journal } from "./journal.ts";
import type { Look } from "./look.ts";
import { duration, failureOfLooks, notBegun, readyText, type Result } from "./outcome.ts";
import type { Student } from "./roster.ts";
import type { Screen } from "./screen.ts";
import type { Failure, Outcome, StudentStack } from "./stacks.ts";
import { isReady, type StudentStatus } from "./status.ts";
import { problemText } from "./status-text.ts";

/** What bringing up a class works with. */
export interface Work {
  readonly klass: ClassSettings;
  readonly journal: Journal;
  readonly stackOf: (student: Student) => StudentStack;
  /** Looks at all machines of a student and changes nothing. */
  readonly look: (student: Student) => Promise<Look[]>;
  /** What a machine is like before the class touches it. */
  readonly fingerprint: (look: Look) => Promise<Fingerprint>;
  /** Students at the same time. */
  readonly parallelism: number;
  readonly screen: Screen;
  readonly halt: Halt;
  /** How a student is now, as `classroom status` tells it. */
  readonly see: (student: Student) => Promise<StudentStatus>;
  /** Students whose cluster was made and is broken: what somebody changed on their machines is put right too. */
  readonly mend: ReadonlySet<Student>;
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

/** More at the same time would wait for this computer's processor, and look like machines that are slow to answer. */
const looksAtTheSameTime = 50;

/** One try for each of them. @param ended is told of each when it has ended */
async function tryEach(students: readonly Student[], work: Work, counts: Counts, ended: (student: Student, outcome: Outcome) => void): Promise<void> {
  if (students.length === 0) return;
  const { journal, look, parallelism, screen, halt } = work;
  screen.note(`Looking at the machines of ${students.length === 1 ? students[0]!.id : `${students.length} students`}.`);
  const looking = pLimit(looksAtTheSameTime);
  const limit = pLimit(parallelism);
  let broken: Failure | undefined;
  await Promise.all(
    students.map(async (student) => {
      // Whoever answers is begun: a machine that does not costs nobody else the time that is waited for it.
      const own = await looking(() => look(student));
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
        const outcome = await confirmed(student, await make(student, own, work), work);
        counts.pause();
        if (outcome.ok) journal.touched(student.id);
        // What is wrong with Pulumi itself would be wrong for everybody.
        if (!outcome.ok && outcome.failure.kind === "environment") broken = outcome.failure;
        ended(student, outcome);
      });
    }),
  );
}

/** Makes one student's cluster on machines that answer. */
async function make(student: Student, looks: readonly Look[], work: Work): Promise<Outcome> {
  const { klass, journal, screen, halt, stackOf, mend } = work;
  const moves = (text: string) => screen.moves(student, text);
  const stack = stackOf(student);
  const anew = installedAnew(student, looks, journal);
  // etcd of several control planes goes on without one of them; a cluster with one alone went with its machine.
  const { controlPlanes } = student.size ?? klass.shape;
  if (controlPlanes === 1 && anew.some(({ machine }) => machine === looks[0]!.machine)) {
    screen.note(`${student.id}: ${looks[0]!.machine} was installed anew: what is left of the old cluster is given back, and a new one is made.`);
    const destroyed = await stack.destroy(moves, halt);
    if (!destroyed.ok) return destroyed;
  }
  takeOffList(anew);
  moves("noting what the machines are like");
  await noteBefore(student, looks, work);
  moves("starting");
  const outcome = await stack.up(moves, halt, mend.has(student));
  // The engine writes the old machine down as it finds another one in its place.
  takeOffList(anew);
  return outcome;
}

/** Nobody is told to be ready whom `classroom status` would call otherwise: the engine does not see what broke after it was done. */
async function confirmed(student: Student, outcome: Outcome, { see, screen }: Work): Promise<Outcome> {
  if (!outcome.ok) return outcome;
  screen.moves(student, "looking at its nodes");
  const status = await see(student);
  if (isReady(status)) return outcome;
  const told = status.problems.map((problem) => problemText(problem, student.id))[0];
  const problem = told?.problem ?? `it is ${status.state}`;
  return { ok: false, seconds: outcome.seconds, failure: { kind: "failed", problem: `made, and not ready: ${problem}`, ...(told && { next: told.next }), details: problem } };
}

/** Keeps what each machine is like that the class has not touched yet, as it is to be found again at the end. */
async function noteBefore({ id }: Student, looks: readonly Look[], { journal, fingerprint, screen }: Work): Promise<void> {
  journal.touched(id, looks.filter(({ facts, owner }) => facts?.owner === owner).map(({ machine }) => machine));
  await Promise.all(
    looks.map(async (look) => {
      const { machine, facts, hostKey, owner } = look;
      if (hostKey === undefined || facts?.owner === owner) return;
      const isTouched = journal.before(id).some((known) => known.machine === machine && known.hostKey === hostKey && known.state === "touched");
      if (isTouched) return;
      let taken: Fingerprint | undefined;
      try {
        taken = await fingerprint(look);
      } catch (error) {
        if (!(error instanceof MachineError)) throw error;
        screen.note(`${id}: ${machine} will be made, but \`classroom down\` cannot compare it with now: ${error.cause.split("\n")[0]}`);
      }
      journal.keepBefore(id, { machine, hostKey }, taken);
    }),
  );
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
