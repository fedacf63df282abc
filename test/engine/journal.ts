/** Something that was done to a machine or through it. Looking at a machine is not written down. */
export interface Entry {
  readonly machine: string;
  /** Stage and verb of a job, as `kernel apply`; what was done to the cluster, as `node w1 remove`. */
  readonly what: string;
  /** Place in the order of all beginnings and ends on all machines. */
  readonly began: number;
  ended: number;
}

/** What was done to all machines of one test, in order. */
export class Journal {
  #entries: Entry[] = [];
  #clock = 0;

  /** Writes down that something begins; `ended` is to be called when it has ended. */
  begin(machine: string, what: string): { ended(): void } {
    const entry = { machine, what, began: ++this.#clock, ended: Infinity };
    this.#entries.push(entry);
    return { ended: () => (entry.ended = ++this.#clock) };
  }

  /** What was done to this machine, in order. */
  of(machine: string): string[] {
    return this.#entries.filter((entry) => entry.machine === machine).map(({ what }) => what);
  }

  /** What was done, in order, each with its machine: `w1: kernel apply`. */
  get all(): string[] {
    return this.#entries.map(({ machine, what }) => `${machine}: ${what}`);
  }

  /** The only entry of that kind. */
  entry(machine: string, what: string): Entry {
    const found = this.#entries.filter((entry) => entry.machine === machine && entry.what === what);
    if (found.length !== 1) throw new Error(`${machine}: ${what} was done ${found.length} times; done was: ${this.all.join(", ")}`);
    return found[0]!;
  }

  /** True when each ended before the next began. */
  inTurn(...entries: readonly (readonly [machine: string, what: string])[]): boolean {
    const found = entries.map(([machine, what]) => this.entry(machine, what));
    return found.every((entry, i) => i === 0 || found[i - 1]!.ended < entry.began);
  }

  /** Forgets what was done so far. */
  clear(): void {
    this.#entries = [];
  }
}
