import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ClassSettings } from "./class-file.ts";
import { isRunning } from "./process.ts";
import type { Outcome } from "./stacks.ts";

const entrySchema = z.object({
  /** `up`, `down`, `reset`. */
  command: z.string(),
  began: z.string(),
  /** Process that wrote it. */
  pid: z.number(),
  /** Absent while it runs, and after it was killed. */
  ended: z.string().optional(),
  ok: z.boolean().optional(),
  kind: z.string().optional(),
  problem: z.string().optional(),
  next: z.string().optional(),
});

/** What the last command did for a student. */
export type Entry = z.output<typeof entrySchema>;

const beforeSchema = z.array(z.object({ machine: z.string(), hostKey: z.string(), traits: z.array(z.string()) }));

/** What a machine was like before the class. */
export type Before = z.output<typeof beforeSchema>[number];

/** A command that writes down what it does for one student. */
export interface Writing {
  /** Takes the engine's own output. */
  log(text: string): void;
  end(outcome: Outcome): void;
}

/** What the commands did for each student: one small file and one log each, beside the class file, for the operator only. */
export class Journal {
  /** Where all of it is. */
  readonly directory: string;

  constructor({ directory, name }: Pick<ClassSettings, "directory" | "name">) {
    this.directory = join(directory, ".classroom", name);
  }

  /** What was done last; undefined when nothing was, or it cannot be read. */
  last(student: string): Entry | undefined {
    try {
      return entrySchema.parse(JSON.parse(readFileSync(this.#path(student, "json"), "utf8")));
    } catch {
      return undefined;
    }
  }

  /** True when the last command was killed in the middle: then the engine does not know what came of its last step. */
  wasKilled(student: string): boolean {
    const last = this.last(student);
    return last !== undefined && last.ended === undefined && !isRunning(last.pid);
  }

  /** What another process does for the student now. */
  runningElsewhere(student: string): Entry | undefined {
    const last = this.last(student);
    return last !== undefined && last.ended === undefined && last.pid !== process.pid && isRunning(last.pid) ? last : undefined;
  }

  /** Ids of all students for whom something was written down and not forgotten. */
  students(): string[] {
    if (!existsSync(this.directory)) return [];
    return readdirSync(this.directory).flatMap((file) => /^([a-z][a-z0-9-]*)\.before\.json$/.exec(file)?.[1] ?? []);
  }

  begin(student: string, command: string): Writing {
    const entry: Entry = { command, began: new Date().toISOString(), pid: process.pid };
    this.#write(student, "json", entry);
    const path = this.#path(student, "log");
    writeFileSync(path, "", { mode: 0o600 });
    return {
      log(text) {
        try {
          appendFileSync(path, text);
        } catch {
          // A disk that is full is no reason to end an engine in the middle.
        }
      },
      end: (outcome) => this.#end(student, entry, outcome),
    };
  }

  /** Writes down an outcome for which no engine was started. */
  note(student: string, command: string, outcome: Outcome): void {
    const now = new Date().toISOString();
    this.#end(student, { command, began: now, pid: process.pid }, outcome);
  }

  /** What the student's machines were like before the class, as far as somebody looked. */
  before(student: string): Before[] {
    try {
      return beforeSchema.parse(JSON.parse(readFileSync(this.#path(student, "before.json"), "utf8")));
    } catch {
      return [];
    }
  }

  /** Keeps what machines are like that do not belong to the class yet; of the others what is known stays. */
  keepBefore(student: string, machines: readonly Before[]): void {
    if (machines.length === 0) return;
    const others = this.before(student).filter(({ machine }) => machines.every((other) => other.machine !== machine));
    this.#write(student, "before.json", [...others, ...machines]);
  }

  /** Forgets a student whose machines are given back. */
  forget(student: string): void {
    for (const extension of ["json", "before.json"]) rmSync(this.#path(student, extension), { force: true });
  }

  #end(student: string, entry: Entry, outcome: Outcome): void {
    const { kind, problem, next } = outcome.ok ? {} : outcome.failure;
    this.#write(student, "json", { ...entry, ended: new Date().toISOString(), ok: outcome.ok, kind, problem, next });
  }

  #path(student: string, extension: string): string {
    return join(this.directory, `${student}.${extension}`);
  }

  #write(student: string, extension: string, value: object): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const path = this.#path(student, extension);
    writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
