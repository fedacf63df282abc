import pLimit from "p-limit";
import { readNotGivenBack, takeOffNotGivenBack } from "../controlplane/not-given-back.ts";
import { undoStage } from "../controlplane/stage.ts";
import type { Reporter } from "../machine/reporter.ts";
import { claim } from "../machine/stages/claim.ts";
import type { SshTarget } from "../machine/target.ts";
import type { Halt } from "./halt.ts";
import { holderOf } from "./holder.ts";
import type { Journal } from "./journal.ts";
import type { Look } from "./look.ts";
import { differences } from "./proof.ts";
import type { Student } from "./roster.ts";
import type { Screen } from "./screen.ts";
import type { Outcome, StudentStack } from "./stacks.ts";

/** What giving a class's machines back works with. */
export interface DownWork {
  readonly journal: Journal;
  readonly stackOf: (student: Student) => StudentStack;
  /** Looks at a student's machines, each of which must show the host key of before; changes nothing. */
  readonly look: (student: Student) => Promise<Look[]>;
  readonly parallelism: number;
  readonly screen: Screen;
  readonly halt: Halt;
}

/** What is known of a machine after all was done to give it back. */
export interface MachineProof {
  readonly machine: string;
  readonly host: string;
  /**
   * `untouched`: nothing of the class was ever on it. `as-before`: nothing differs from what was seen before the class. `clean`: nothing of a cluster is left, and nobody looked
   * before. `differs`: something else is there now. `not-given-back`: it still belongs to the class, or cannot be looked at.
   */
  readonly verdict: "untouched" | "as-before" | "clean" | "differs" | "not-given-back";
  /** What differs, or why it is not given back, a sentence each. */
  readonly findings: readonly string[];
  readonly next?: string;
}

/** How it ended for one student. */
export interface DownResult {
  readonly student: Student;
  readonly outcome: Outcome;
  readonly machines: readonly MachineProof[];
}

/** True when every machine of the student was given back. */
export const isGivenBack = ({ machines }: DownResult): boolean => machines.every(({ verdict }) => verdict !== "not-given-back");

/**
 * Destroys the clusters of these students and looks at every machine afterwards. A machine that is dead, or a stack that fails, keeps
 * no other from being given back.
 *
 * @returns what came of it for each, in the order of the students
 */
export async function takeDown(students: readonly Student[], work: DownWork): Promise<DownResult[]> {
  const limit = pLimit(work.parallelism);
  return Promise.all(students.map((student) => limit(() => takeDownOne(student, work))));
}

async function takeDownOne(student: Student, { journal, stackOf, look, screen, halt }: DownWork): Promise<DownResult> {
  const moves = (text: string) => screen.moves(student, text);
  if (halt.requested) {
    const problem = "not begun: stopped on request";
    return { student, outcome: { ok: false, seconds: 0, failure: { kind: "stopped", problem, details: "" } }, machines: unknown(student, problem) };
  }
  moves("starting");
  const stack = stackOf(student);
  const touched = stack.exists() || journal.before(student.id).length > 0;
  const outcome = await stack.destroy(moves, halt);
  moves("looking at the machines");
  const seen = await look(student);
  // While the stack is there, its own destroy is what gives its machines back.
  const late = outcome.ok ? seen.filter(({ facts, owner }) => facts?.owner === owner) : [];
  await Promise.all(late.map((machine) => giveBack(machine, moves)));
  const looks = late.length > 0 ? await look(student) : seen;
  const result = { student, outcome, machines: looks.map((last) => proofOf(last, touched, journal)) };
  if (outcome.ok && isGivenBack(result)) {
    takeOffList(looks);
    journal.forget(student.id);
  }
  screen.rests(student, summary(result));
  return result;
}

/**
 * Gives back a machine that its stack does not know of: an engine was killed before it wrote the machine down, or a destroy could not
 * reach it. What cannot be undone is found by the look that follows.
 */
async function giveBack({ owner, target, machine }: Look, moves: (text: string) => void): Promise<void> {
  const reporter: Reporter = { progress: (text) => moves(`${machine}: ${text}`), info: () => {}, warn: () => {} };
  await undoStage(claim, target, { owner }, holderOf("down"), reporter).catch(() => {});
}

/** A machine that was given back late need not be given back by `pulumi-kubeadm give-back`. */
function takeOffList(looks: readonly Look[]): void {
  const isOneOf = ({ name, host, port }: SshTarget) => looks.some(({ target }) => target.name === name && target.host === host && target.port === port);
  for (const { target } of readNotGivenBack()) if (isOneOf(target)) takeOffNotGivenBack(target);
}

function proofOf({ student, machine, host, facts, fault, owner }: Look, touched: boolean, journal: Journal): MachineProof {
  const place = { machine, host };
  if (!touched && facts?.owner !== owner) return { ...place, verdict: "untouched", findings: [] };
  if (fault) return { ...place, verdict: "not-given-back", findings: [fault.problem], next: `${fault.next}; \`classroom down ${student.id}\`` };
  if (facts!.owner === owner) return { ...place, verdict: "not-given-back", findings: [`it still belongs to ${owner}`], next: `run \`classroom down ${student.id}\` again` };
  const before = journal.before(student.id).find((known) => known.machine === machine)?.traits;
  const findings = differences(before, facts!);
  return { ...place, verdict: findings.length > 0 ? "differs" : before ? "as-before" : "clean", findings };
}

const unknown = ({ machines, id }: Student, problem: string): MachineProof[] =>
  machines.map(({ host }) => ({ machine: id, host, verdict: "not-given-back", findings: [problem], next: `run \`classroom down ${id}\`` }));

function summary({ outcome, machines }: DownResult): string {
  if (!outcome.ok) return outcome.failure.problem;
  const worst = machines.find(({ verdict }) => verdict === "not-given-back") ?? machines.find(({ verdict }) => verdict === "differs");
  if (!worst) return machines.every(({ verdict }) => verdict === "as-before") ? "given back, as before" : "given back";
  return `${worst.machine}: ${worst.verdict === "differs" ? "given back, and differs: " : "not given back: "}${worst.findings[0]}`;
}
