import type { Reporter } from "./reporter.ts";

const intervalMs = 2000;

/** Reports what is being done, and for how long while nothing new comes: `waiting for the apiserver, 12 s`. */
export class Elapsed {
  readonly #reporter: Reporter;
  #timer: NodeJS.Timeout | undefined;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Reports a text now, and again every 2 s with the seconds since. */
  say(text: string): void {
    this.stop();
    const start = Date.now();
    this.#reporter.progress(text);
    this.#timer = setInterval(() => this.#reporter.progress(`${text}, ${Math.round((Date.now() - start) / 1000)} s`), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
