import type { Preparation } from "../kubeadm/settings.ts";
import type { LookFault, Look } from "./look.ts";
import type { Student } from "./roster.ts";
import type { Failure, Outcome } from "./stacks.ts";

/** How a command ended for one student. */
export interface Result {
  readonly student: Student;
  readonly outcome: Outcome;
}

/** A machine that cannot be worked with, as a student's failure. */
function failureOfLook({ student, machine, host, fault }: Look & { readonly fault: LookFault }): Failure {
  const { kind, problem, next } = fault;
  const which = [...(machine === student.id ? [] : [machine]), ...(problem.includes(host) ? [] : [host])].map((place) => `${place}: `).join("");
  return { kind: kind === "unreachable" ? "unreachable" : "failed", problem: `${which}${problem}`, next, details: problem };
}

/** The first failure among what was seen of one student's machines; undefined when all can be worked with. */
export function failureOfLooks(looks: readonly Look[]): Failure | undefined {
  const faulty = looks.filter((look): look is Look & { fault: LookFault } => look.fault !== undefined);
  // A key that is refused is told before a machine that may answer later: it needs somebody.
  const first = faulty.find(({ fault }) => fault.kind !== "unreachable") ?? faulty[0];
  return first && failureOfLook(first);
}

/** Nothing was done, since the operator asked for an end. */
export const notBegun: Outcome = { ok: false, seconds: 0, failure: { kind: "stopped", problem: "not begun: stopped on request", next: "run the command again", details: "" } };

/** How it is called when a student has what the class is to have: `ready`, or `prepared: packages`. */
export const readyText = (prepareTo: Preparation): string => (prepareTo === "cluster" ? "ready" : `prepared: ${prepareTo}`);

/** `3:05`, minutes and seconds. */
export const duration = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** A problem in a sentence, and what to do about it in the line below. */
export function explain({ problem, next }: { readonly problem: string; readonly next?: string | undefined }): string {
  return `${problem.split("\n")[0]}${next === undefined ? "" : `\n  Next: ${next}`}`;
}
