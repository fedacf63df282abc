import type { ClassSettings } from "../class-file.ts";

const day = 86_400_000;

/** Without a word in the class file. */
const defaultDays = 14;

/** The least that Kubernetes signs for: ten minutes. */
const shortest = 600_000;

/** What a running certificate may end earlier or later than it should, and still be kept. */
const slack = 600_000;

/** Kubernetes signs for a year at most, unless it is told otherwise. */
const longest = 364 * day;

/** When certificates of a class end. */
export class Ends {
  readonly #given: Date | undefined;
  readonly #now: Date;

  /**
   * @param ends of the class file; a day alone means its end on this computer's clock
   * @throws Error when that is over, or nearly
   */
  constructor({ ends }: Pick<ClassSettings, "ends">, now = new Date()) {
    this.#now = now;
    this.#given = ends === undefined ? undefined : new Date(/^\d{4}-\d\d-\d\d$/.test(ends) ? `${ends}T23:59:59` : ends);
    if (this.#given && this.#given.getTime() - now.getTime() < shortest) {
      throw new Error(`ends: ${ends!} is over, or less than ten minutes away: no certificate can be handed out until then. Next: correct \`ends\` in the class file.`);
    }
  }

  /** How long a new certificate is to last. */
  get seconds(): number {
    return Math.floor(((this.#given?.getTime() ?? this.#now.getTime() + defaultDays * day) - this.#now.getTime()) / 1000);
  }

  /** Whether a certificate that ends then need not be made anew. */
  areKeptBy(end: Date): boolean {
    if (!this.#given) return end.getTime() > this.#now.getTime() + day;
    const wanted = this.#given.getTime();
    return end.getTime() >= Math.min(wanted, this.#now.getTime() + longest) - slack && end.getTime() <= wanted + slack;
  }
}

/** Where times are told for: as `ends` is written, else where this computer is. */
export function zoneOf({ ends }: Pick<ClassSettings, "ends">): string {
  const offset = /T.*(Z|[+-]\d\d:\d\d)$/.exec(ends ?? "")?.[1];
  return offset === undefined ? Intl.DateTimeFormat().resolvedOptions().timeZone : offset === "Z" ? "UTC" : offset;
}
