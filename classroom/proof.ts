import { MachineError } from "../machine/errors.ts";
import type { Fingerprint } from "../machine/fingerprint.ts";
import { compare, type Difference } from "../machine/fingerprint/differences.ts";
import { ofRunning, ofTheSystem } from "../machine/fingerprint/excuses.ts";
import { originOf, type Origin } from "../machine/fingerprint/origin.ts";
import { sentencesOf } from "../machine/fingerprint/sentences.ts";
import type { MachineFacts } from "../machine/preflight/facts.ts";
import type { Journal } from "./journal.ts";
import type { Look } from "./look.ts";
import type { Student } from "./roster.ts";

/** What is known of a machine after all was done to give it back. */
export interface MachineProof {
  /** Name of its node. */
  readonly machine: string;
  readonly host: string;
  /**
   * `untouched`: nothing of the class was ever on it. `as-before`: nothing differs from what it was like before the class. `clean`: nothing of a cluster is
   * left, and there is nothing to compare with. `differs`: something is other than before. `unproven`: it is given back, and cannot be compared.
   * `not-given-back`: it still belongs to the class, or cannot be looked at.
   */
  readonly verdict: "untouched" | "as-before" | "clean" | "differs" | "unproven" | "not-given-back";
  /** What differs, or why it is not given back, a sentence each. */
  readonly findings: readonly string[];
  /** What people left in their home directories, a sentence each: no fault. */
  readonly left: readonly string[];
  /** When this was found, ISO 8601; absent: now. */
  readonly at?: string;
  /** When it was looked at before the class, ISO 8601. */
  readonly comparedWith?: string;
  /** How many differences each reason excused. */
  readonly excused?: Readonly<Record<string, number>>;
  readonly next?: string;
}

/** What proving works with. */
export interface ProofWork {
  readonly journal: Journal;
  /** What a machine is like now. */
  readonly fingerprint: (look: Look) => Promise<Fingerprint>;
  /** What the report tells of a machine since an earlier run. */
  readonly foundBefore: (look: Look) => MachineProof | undefined;
}

/** How findings are told whose they are. */
const whose: Readonly<Record<Exclude<Origin, "home">, string>> = { cluster: "of a cluster", elsewhere: "not of a cluster" };

/** @param held whether the student's machines were the class's until now, as far as this computer knows */
export async function proofOf(look: Look, held: boolean, { journal, fingerprint, foundBefore }: ProofWork): Promise<MachineProof> {
  const { student, machine, host, facts, fault, owner, hostKey } = look;
  const place = { machine, host, findings: [], left: [] };
  const again = `\`classroom down ${student.id}\``;
  const kept = journal.before(student.id);
  const earlier = foundBefore(look);
  const isOurs = held || facts?.owner === owner || earlier?.verdict === "not-given-back";
  // It was given back in an earlier run: what was found then stands where it cannot be found anew.
  if (!isOurs && earlier && (fault || (kept.length === 0 && earlier.verdict !== "differs"))) return earlier;
  if (!isOurs && kept.length === 0 && !earlier) return { ...place, verdict: "untouched" };
  if (fault) return { ...place, verdict: "not-given-back", findings: [fault.problem], next: `${fault.next}; ${again}` };
  if (facts!.owner === owner) return { ...place, verdict: "not-given-back", findings: [`it still belongs to ${owner}`], next: `run ${again} again` };

  // One that was installed anew is another machine, of which nothing is known.
  const known = kept.find((before) => before.machine === machine && before.hostKey === hostKey);
  const before = known && journal.fingerprint(student.id, machine);
  if (!known || before === undefined) {
    const findings = remainsIn(facts!);
    return { ...place, verdict: findings.length > 0 ? "differs" : "clean", findings };
  }
  let comparison;
  try {
    comparison = compare(before, await fingerprint(look), [...ofTheSystem, ...ofRunning]);
  } catch (error) {
    const problem = error instanceof MachineError ? error.cause.split("\n")[0]! : `what is kept of before cannot be read (${(error as Error).message})`;
    return { ...place, verdict: "unproven", findings: [`it is given back, and cannot be compared with before: ${problem}`], next: `run ${again} again` };
  }
  const of = (origin: Origin) => sentencesOf(comparison.differences.filter((difference: Difference) => originOf(difference) === origin));
  const findings = (["cluster", "elsewhere"] as const).flatMap((origin) => of(origin).map((sentence) => `${whose[origin]}: ${sentence}`));
  return {
    ...place,
    verdict: findings.length > 0 ? "differs" : "as-before",
    findings,
    left: of("home"),
    comparedWith: known.at,
    excused: Object.fromEntries(comparison.excused),
    ...(findings.length > 0 && { next: `put it right by hand and run ${again} again, or leave it so` }),
  };
}

/** What a cluster leaves behind, where there is nothing to compare with. */
const remainsIn = ({ cluster, leftovers }: MachineFacts): string[] => [...cluster, ...leftovers].map((path) => `${whose.cluster}: there is ${path}`);

/** The machines of a student with whom nothing was done. */
export const notLookedAt = ({ machines, id }: Student, problem: string): MachineProof[] =>
  machines.map(({ host }) => ({ machine: id, host, verdict: "not-given-back", findings: [problem], left: [], next: `run \`classroom down ${id}\`` }));
