import { thingsOf, type Fingerprint, type Things } from "../fingerprint.ts";

/** One thing that is not as it was. */
export interface Difference {
  /** As scripts/fingerprint.sh names it: `package`, `file`, `sysctl` … */
  readonly section: string;
  /** What it is in its section: a package's name, a path. */
  readonly key: string;
  /** What it was; absent for what is new. */
  readonly before?: string;
  /** What it is; absent for what is gone. */
  readonly after?: string;
  /** Of a directory that is new or gone: how many things below it came or went with it. */
  readonly below?: number;
}

/** Why some differences say nothing of what was left behind. */
export interface Excuse {
  readonly reason: string;
  covers(difference: Difference, seen: Seen): boolean;
}

/** The whole that an excuse may have to look at. */
export interface Seen {
  readonly before: Things;
  readonly after: Things;
  readonly differences: readonly Difference[];
}

/** What comparing came to. */
export interface Comparison {
  /** What differs and is not excused. */
  readonly differences: readonly Difference[];
  /** How many differences each reason excused. */
  readonly excused: ReadonlyMap<string, number>;
}

/** A port is the same whoever waits there: a service that was started on request hands it over. */
const comparedByKeyAlone = new Set(["port"]);

/** Compares what a machine was like with what it is like. Pure. */
export function compare(before: Fingerprint, after: Fingerprint, excuses: readonly Excuse[]): Comparison {
  const [was, is] = [thingsOf(before), thingsOf(after)];
  const all = differencesOf(was, is);
  const seen = { before: was, after: is, differences: all };
  const excused = new Map<string, number>();
  const left = all.filter((difference) => {
    const excuse = excuses.find(({ covers }) => covers(difference, seen));
    if (excuse) excused.set(excuse.reason, (excused.get(excuse.reason) ?? 0) + 1);
    return !excuse;
  });
  return { differences: withoutWhatIsBelow(left), excused };
}

function differencesOf(was: Things, is: Things): Difference[] {
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((thing): Difference[] => {
    const [section, key] = thing.split("\t") as [string, string];
    const [before, after] = [was.get(thing), is.get(thing)];
    if (before === after || (before !== undefined && after !== undefined && comparedByKeyAlone.has(section))) return [];
    return [{ section, key, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  });
}

/** A directory that came or went stands for all that came or went with it. */
function withoutWhatIsBelow(differences: readonly Difference[]): Difference[] {
  const isNewOrGone = ({ section, before, after }: Difference) => (section === "file" || section === "home") && (before === undefined || after === undefined);
  const placeOf = ({ section, before }: Difference, path: string) => `${section} ${before === undefined ? "new" : "gone"} ${path}`;
  const directories = new Set(differences.filter((one) => isNewOrGone(one) && (one.before ?? one.after)!.startsWith("d ")).map((one) => placeOf(one, one.key)));
  const below = new Map<string, number>();
  const roots = differences.filter((one) => {
    if (!isNewOrGone(one)) return true;
    const parts = one.key.split("/");
    const above = parts.map((_, index) => placeOf(one, parts.slice(0, index).join("/"))).find((place) => directories.has(place));
    if (above !== undefined) below.set(above, (below.get(above) ?? 0) + 1);
    return above === undefined;
  });
  return roots.map((one) => {
    const count = isNewOrGone(one) ? below.get(placeOf(one, one.key)) : undefined;
    return count === undefined ? one : { ...one, below: count };
  });
}
