import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import type { ClassSettings } from "../class-file.ts";
import { handoutSchema, type Handout } from "./facts.ts";
import { forgetKeyPair, keyPairAt, type SshKeyPair } from "./key-pair.ts";

/** Files by their names. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Where the keys of a class and what was handed out are kept, beside the class file and for its operator only. */
export class Handouts {
  readonly #klass: string;
  readonly #keys: string;
  /** A folder and a zip for each student, and the operator's sheet. */
  readonly directory: string;

  constructor({ directory, name }: Pick<ClassSettings, "directory" | "name">) {
    this.#klass = name;
    this.#keys = join(directory, ".classroom", name, "keys");
    this.directory = join(directory, ".classroom", name, "handout");
  }

  /** The student's SSH key, made now if there is none. */
  keyOf(student: string): SshKeyPair {
    return keyPairAt(this.keyPathOf(student), `${student}@${this.#klass}`);
  }

  /** The file with the private part. */
  keyPathOf(student: string): string {
    return join(this.#keys, student);
  }

  folderOf(student: string): string {
    return join(this.directory, student);
  }

  zipOf(student: string): string {
    return join(this.directory, `${student}.zip`);
  }

  /** A file of a student's folder; undefined when it is not there. */
  fileOf(student: string, name: string): string | undefined {
    try {
      return readFileSync(join(this.folderOf(student), name), "utf8");
    } catch {
      return undefined;
    }
  }

  /** What was handed to a student; undefined when nothing was, or it cannot be read. */
  of(student: string): Handout | undefined {
    try {
      return handoutSchema.parse(JSON.parse(readFileSync(this.#factsOf(student), "utf8")));
    } catch {
      return undefined;
    }
  }

  /** What was handed out, by the students' ids. */
  all(): Handout[] {
    try {
      return readdirSync(this.directory).sort().flatMap((file) => (file.endsWith(".json") ? (this.of(file.slice(0, -".json".length)) ?? []) : []));
    } catch {
      return [];
    }
  }

  /** Writes a student's folder and zip in place of what was there. */
  write(handout: Handout, files: Files): void {
    const { id } = handout.student;
    const folder = this.folderOf(id);
    this.#makeDirectory();
    rmSync(`${folder}.new`, { recursive: true, force: true });
    mkdirSync(`${folder}.new`, { mode: 0o700 });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(`${folder}.new`, name), content, { mode: 0o600 });
    rmSync(folder, { recursive: true, force: true });
    renameSync(`${folder}.new`, folder);
    replace(this.zipOf(id), zipped(`${this.#klass}-${id}`, files));
    replace(this.#factsOf(id), `${JSON.stringify(handout)}\n`);
  }

  /** Writes the operator's sheet. */
  writeSheet(files: Files): void {
    this.#makeDirectory();
    for (const [name, content] of Object.entries(files)) replace(join(this.directory, name), content);
  }

  /** Removes what was handed to a student and the key, so that nothing of it is given out once more. */
  forget(student: string): void {
    for (const path of [this.folderOf(student), `${this.folderOf(student)}.new`, this.zipOf(student), this.#factsOf(student)]) rmSync(path, { recursive: true, force: true });
    forgetKeyPair(this.keyPathOf(student));
  }

  /** Removes all that is left when nobody has anything any more. */
  clear(): void {
    for (const directory of [this.directory, this.#keys]) rmSync(directory, { recursive: true, force: true });
  }

  #factsOf(student: string): string {
    return join(this.directory, `${student}.json`);
  }

  #makeDirectory(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    chmodSync(this.directory, 0o700);
  }
}

function replace(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** https://pkwaredownloads.blob.core.windows.net/pkware-general/Documentation/APPNOTE-6.3.9.TXT, 4.4.2 and 4.4.15: made on Unix, and its modes. */
const unix = 3;
const privateFile = 0o100600 * 2 ** 16;

/** ssh takes no key that others may read, so the archive says who may. */
function zipped(folder: string, files: Files): Uint8Array {
  const entries = Object.entries(files).map(([name, content]) => [`${folder}/${name}`, [typeof content === "string" ? Buffer.from(content) : content, { os: unix, attrs: privateFile }]]);
  return zipSync(Object.fromEntries(entries) as Zippable);
}
