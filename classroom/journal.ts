import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { HostKeys } from "../controlplane/target.ts";
import type { Fingerprint } from "../machine/fingerprint.ts";
import type { ClassSettings } from "./class-file.ts";
import { isRunning } from "./process.ts";
import type { Outcome } from "./stacks.ts";

const entrySchema = z.object({
  /** `up`, `down`, `reset`. */
  command: z.string(),
  began: z.string(),
  /** Process that wrote it. */
  pid: z.number(),
  /** What it does now, in a few words. */
  doing: z.string().optional(),
  /** Absent while it runs, and after it was killed. */
  ended: z.string().optional(),
  ok: z.boolean().optional(),
  kind: z.string().optional(),
  problem: z.string().optional(),
  next: z.string().optional(),
});

/** What the last command did for a student. */
export type Entry = z.output<typeof entrySchema>;

const beforeSchema = z.array(
  z.object({
    machine: z.string(),
    hostKey: z.string(),
    /** When it was looked at, ISO 8601. */
    at: z.string(),
    /**
     * `seen`: the class is about to begin on it. `touched`: it is, or was, the class's: what it was like before is not to be had again. `returned`: it was
     * given back, and is not as it was.
     */
    state: z.enum(["seen", "touched", "returned"]),
  }),
);

/** A machine as it was before the class; its fingerprint lies beside it. */
export type Before = z.output<typeof beforeSchema>[number];

/** A command that writes down what it does for one student. */
export interface Writing {
  /** Takes the engine's own output. */
  log(text: string): void;
  /** Takes what is being done now, as the screen shows it, for who looks from elsewhere. */
  moves(text: string): void;
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

  /** Ids of all students whose machines may be the class's. */
  students(): string[] {
    if (!existsSync(this.directory)) return [];
    return readdirSync(this.directory)
      .flatMap((file) => /^([a-z][a-z0-9-]*)\.before\.json$/.exec(file)?.[1] ?? [])
      .filter((student) => this.before(student).some(({ state }) => state !== "returned"));
  }

  begin(student: string, command: string): Writing {
    const entry: Entry = { command, began: new Date().toISOString(), pid: process.pid };
    this.#write(student, "json", entry);
    const path = this.#path(student, "log");
    writeFileSync(path, "", { mode: 0o600 });
    let doing = "";
    let ended = false;
    return {
      log(text) {
        try {
          appendFileSync(path, text);
        } catch {
          // A disk that is full is no reason to end an engine in the middle.
        }
      },
      moves: (text) => {
        // The seconds that go by are no news.
        const part = text.replace(/, \d+ s$/, "");
        if (ended || part === doing) return;
        doing = part;
        try {
          this.#write(student, "json", { ...entry, doing });
        } catch {
          // As above.
        }
      },
      end: (outcome) => {
        ended = true;
        this.#end(student, entry, outcome);
      },
    };
  }

  /** Writes down an outcome for which no engine was started. */
  note(student: string, command: string, outcome: Outcome): void {
    const now = new Date().toISOString();
    this.#end(student, { command, began: now, pid: process.pid }, outcome);
  }

  /** The student's machines as they were before the class, as far as somebody looked. */
  before(student: string): Before[] {
    try {
      return beforeSchema.parse(JSON.parse(readFileSync(this.#path(student, "before.json"), "utf8")));
    } catch {
      return [];
    }
  }

  /** Host keys of the student's machines that are the class's, by machine: another key is another machine. */
  hostKeys(student: string): HostKeys {
    return Object.fromEntries(this.before(student).flatMap(({ machine, hostKey, state }) => (state === "touched" ? [[machine, hostKey]] : [])));
  }

  /** What a machine was like before the class; undefined when nobody could look, or it cannot be read. */
  fingerprint(student: string, machine: string): Fingerprint | undefined {
    const path = this.#path(student, `${machine}.before.gz`);
    return existsSync(path) ? readFileSync(path).toString("base64") : undefined;
  }

  /** Keeps what a machine is like that is not the class's yet. @param fingerprint undefined when it could not be taken */
  keepBefore(student: string, machine: Pick<Before, "machine" | "hostKey">, fingerprint: Fingerprint | undefined): void {
    const extension = `${machine.machine}.before.gz`;
    rmSync(this.#path(student, extension), { force: true });
    if (fingerprint !== undefined) this.#writeBytes(student, extension, Buffer.from(fingerprint, "base64"));
    const others = this.before(student).filter((known) => known.machine !== machine.machine);
    this.#write(student, "before.json", [...others, { ...machine, at: new Date().toISOString(), state: "seen" }]);
  }

  /** Notes that machines of the student are the class's now. @param machines all when left out */
  touched(student: string, machines?: readonly string[]): void {
    this.#setState(student, "touched", (known) => known.state === "seen" && (machines === undefined || machines.includes(known.machine)));
  }

  /** Notes that the student's machines are given back and not as they were: what they were like stays, so that one can look again. */
  returned(student: string): void {
    rmSync(this.#path(student, "json"), { force: true });
    this.#setState(student, "returned", () => true);
  }

  #setState(student: string, state: Before["state"], changes: (known: Before) => boolean): void {
    const before = this.before(student);
    if (before.some(changes)) this.#write(student, "before.json", before.map((known) => (changes(known) ? { ...known, state } : known)));
  }

  /** Forgets a student whose machines are given back as they were. */
  forget(student: string): void {
    for (const { machine } of this.before(student)) rmSync(this.#path(student, `${machine}.before.gz`), { force: true });
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
    this.#writeBytes(student, extension, Buffer.from(`${JSON.stringify(value)}\n`));
  }

  #writeBytes(student: string, extension: string, bytes: Buffer): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const path = this.#path(student, extension);
    writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
