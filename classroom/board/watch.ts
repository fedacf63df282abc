import pLimit from "p-limit";
import type { Preparation } from "../../kubeadm/settings.ts";
import type { Glance } from "../glance.ts";
import { statusOf, type StudentStatus, type Told } from "../status.ts";
import type { Student } from "../roster.ts";

/** Rest of a student's machines after a glance: what that costs them (kubectl, a tenth of a second of a processor) is then no load. */
const restMs = 15_000;

/** How often the commands' own notes are read, which cost nobody anything. */
const notesMs = 2000;

/**
 * Glances at the same time. Students whose machines did not answer, or were not asked yet, have places of their own: each may hold its
 * place for a whole connect timeout, and would keep the others waiting.
 */
const places = { answering: 16, others: 64 };

/** What a watch works with. */
export interface WatchWork {
  readonly students: readonly Student[];
  /** Glances at a student's machines; changes nothing. */
  readonly glance: (student: Student) => Promise<Glance[]>;
  readonly told: Told;
  /** How far the class wants the machines. */
  readonly prepareTo: Preparation;
  /** Gets how a student is after each glance, and when a command goes on in between. @param at when the glance ended */
  readonly publish: (status: StudentStatus, at: number) => void;
}

/** What was seen of a student last. */
interface Seen {
  readonly glances: readonly Glance[];
  readonly at: number;
}

/** Looks at every student again and again, each by itself, for as long as somebody watches. */
export class Watch {
  readonly #work: WatchWork;
  readonly #answering = pLimit(places.answering);
  readonly #others = pLimit(places.others);
  readonly #seen = new Map<Student, Seen>();
  /** What commands had left of a student when it was published last. */
  readonly #published = new Map<Student, string>();
  /** Glances that have not ended; one that is asked for again is not begun twice. */
  readonly #running = new Map<Student, Promise<void>>();
  #stopped: AbortController | undefined;

  constructor(work: WatchWork) {
    this.#work = work;
  }

  /** Begins to look, or goes on with it. */
  start(): void {
    if (this.#stopped) return;
    const { signal } = (this.#stopped = new AbortController());
    for (const student of this.#work.students) void this.#follow(student, signal);
    void this.#readNotes(signal);
  }

  /** Ends the looking; a glance that has begun comes to its end. */
  stop(): void {
    this.#stopped?.abort();
    this.#stopped = undefined;
  }

  async #follow(student: Student, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const left = (this.#seen.get(student)?.at ?? 0) + restMs - Date.now();
      // After the rest somebody else may have glanced: when a command had ended.
      if (left > 0) await rested(left, signal);
      else await this.#glance(student, signal);
    }
  }

  #glance(student: Student, signal: AbortSignal): Promise<void> {
    const known = this.#running.get(student);
    if (known) return known;
    const answered = this.#seen.get(student)?.glances.every(({ fault }) => fault?.kind !== "unreachable");
    const running = (answered ? this.#answering : this.#others)(async () => {
      if (signal.aborted) return;
      this.#seen.set(student, { glances: await this.#work.glance(student), at: Date.now() });
      this.#publish(student);
    }).finally(() => this.#running.delete(student));
    this.#running.set(student, running);
    return running;
  }

  /** Between two glances a command on this computer goes on, and says so in the journal. When it has ended, the machines are not as they were. */
  async #readNotes(signal: AbortSignal): Promise<void> {
    while (await rested(notesMs, signal)) {
      for (const student of this.#seen.keys()) {
        if (this.#published.get(student) === this.#notes(student)) continue;
        if (this.#work.told.runningElsewhere(student.id)) this.#publish(student);
        else void this.#glance(student, signal);
      }
    }
  }

  #publish(student: Student): void {
    const { glances, at } = this.#seen.get(student)!;
    this.#published.set(student, this.#notes(student));
    this.#work.publish(statusOf(student, glances, this.#work.told, this.#work.prepareTo, new Date(at)), at);
  }

  #notes({ id }: Student): string {
    const { told } = this.#work;
    return JSON.stringify([told.last(id), told.runningElsewhere(id) !== undefined, told.wasKilled(id)]);
  }
}

/** Waits; false when the signal came first. */
function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const woken = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", woken);
      resolve(true);
    }, ms);
    signal.addEventListener("abort", woken, { once: true });
  });
}
