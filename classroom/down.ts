import pLimit from "p-limit";
import { undoStage } from "../controlplane/stage.ts";
import type { Reporter } from "../machine/reporter.ts";
import { claim } from "../machine/stages/claim.ts";
import type { Halt } from "./halt.ts";
import { holderOf } from "./holder.ts";
import { takeOffList } from "./installed-anew.ts";
import type { Look } from "./look.ts";
import { notLookedAt, proofOf, type MachineProof, type ProofWork } from "./proof.ts";
import type { Student } from "./roster.ts";
import type { Screen } from "./screen.ts";
import type { Outcome, StudentStack } from "./stacks.ts";

/** What giving a class's machines back works with. */
export interface DownWork extends ProofWork {
  readonly stackOf: (student: Student) => StudentStack;
  /** Looks at a student's machines, each of which must show the host key of before; changes nothing. */
  readonly look: (student: Student) => Promise<Look[]>;
  readonly parallelism: number;
  readonly screen: Screen;
  readonly halt: Halt;
}

/** How it ended for one student. */
export interface DownResult {
  readonly student: Student;
  readonly outcome: Outcome;
  readonly machines: readonly MachineProof[];
}

/** True when every machine of the student was given back. */
export const isGivenBack = ({ machines }: DownResult): boolean => machines.every(({ verdict }) => verdict !== "not-given-back");

/** True when every machine of the student was given back and nothing speaks against its being as it was. */
export const isAsBefore = ({ machines }: DownResult): boolean => machines.every(({ verdict }) => verdict === "as-before" || verdict === "clean" || verdict === "untouched");

/**
 * Destroys the clusters of these students and holds every machine afterwards against what it was like before. A machine that is
 * dead, or a stack that fails, keeps no other from being given back.
 *
 * @returns what came of it for each, in the order of the students
 */
export async function takeDown(students: readonly Student[], work: DownWork): Promise<DownResult[]> {
  const limit = pLimit(work.parallelism);
  return Promise.all(students.map((student) => limit(() => takeDownOne(student, work))));
}

async function takeDownOne(student: Student, work: DownWork): Promise<DownResult> {
  const { journal, stackOf, look, screen, halt } = work;
  const moves = (text: string) => screen.moves(student, text);
  if (halt.requested) {
    const problem = "not begun: stopped on request";
    return { student, outcome: { ok: false, seconds: 0, failure: { kind: "stopped", problem, details: "" } }, machines: notLookedAt(student, problem) };
  }
  moves("starting");
  const stack = stackOf(student);
  const held = stack.exists() || journal.students().includes(student.id);
  const outcome = await stack.destroy(moves, halt);
  moves("looking at the machines");
  const seen = await look(student);
  // While the stack is there, its own destroy is what gives its machines back.
  const late = outcome.ok ? seen.filter(({ facts, owner }) => facts?.owner === owner) : [];
  await Promise.all(late.map((machine) => giveBack(machine, moves)));
  const looks = late.length > 0 ? await look(student) : seen;
  moves("comparing the machines with before");
  const result = { student, outcome, machines: await Promise.all(looks.map((last) => proofOf(last, held, work))) };
  if (outcome.ok && isGivenBack(result)) {
    takeOffList(looks);
    if (isAsBefore(result)) journal.forget(student.id);
    else journal.returned(student.id);
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

function summary({ outcome, machines }: DownResult): string {
  if (!outcome.ok) return outcome.failure.problem;
  const worst = (["not-given-back", "unproven", "differs"] as const).flatMap((verdict) => machines.filter((one) => one.verdict === verdict))[0];
  if (!worst) return machines.every(({ verdict }) => verdict === "as-before") ? "given back, as before" : "given back";
  return `${worst.machine}: ${worst.verdict === "differs" ? "given back, and differs: " : worst.verdict === "unproven" ? "" : "not given back: "}${worst.findings[0]}`;
}
