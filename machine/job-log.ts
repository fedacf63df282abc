import { stripVTControlCharacters } from "node:util";
import type { Elapsed } from "./elapsed.ts";
import type { Mask } from "./masking.ts";

/** Lines of evidence that a failure shows. */
const evidenceLines = 25;

/**
 * What a script's output says, line by line. `==> TEXT` is what it does now, `!!! TEXT` the cause of a failure and `>>> TEXT` the
 * next step (both may have several lines); everything else is evidence.
 */
export class JobLog {
  readonly #elapsed: Elapsed;
  readonly #mask: Mask;
  readonly #cause: string[] = [];
  readonly #next: string[] = [];
  #evidence: string[] = [];
  /** Lines taken so far: where to go on reading after a lost connection. */
  lines = 0;
  /** What the script said last that it does. */
  doing: string;

  constructor(title: string, elapsed: Elapsed, mask: Mask) {
    this.doing = title;
    this.#elapsed = elapsed;
    this.#mask = mask;
  }

  take(line: string): void {
    this.lines += 1;
    // Of a line that a program wrote over and over, the last state stays.
    const text = this.#mask(stripVTControlCharacters(line).replace(/\r+$/, "").split("\r").at(-1)!);
    const said = text.slice(4);
    if (text.startsWith("==> ")) {
      this.doing = said;
      this.#elapsed.say(said);
    } else if (text.startsWith("!!! ")) this.#cause.push(said);
    else if (text.startsWith(">>> ")) this.#next.push(said);
    else if (text.trim() !== "") this.#evidence = [...this.#evidence, text].slice(-evidenceLines);
  }

  /** Cause that the script gave; undefined when it gave none. */
  get cause(): string | undefined {
    return this.#cause.join("\n") || undefined;
  }

  /** Next step that the script gave; undefined when it gave none. */
  get next(): string | undefined {
    return this.#next.join("\n") || undefined;
  }

  /** The last other lines; undefined when there are none. */
  get evidence(): string | undefined {
    return this.#evidence.join("\n") || undefined;
  }
}
