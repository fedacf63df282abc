import { StringDecoder } from "node:string_decoder";

/** Cuts a stream of bytes into lines at `\n`. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Takes the next bytes, and hands on each line that is whole now, without its `\n`. */
  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split("\n");
    this.#rest = lines.pop()!;
    lines.forEach((line) => this.#onLine(line));
  }

  /** What came after the last `\n`. */
  get rest(): string {
    return this.#rest;
  }
}
