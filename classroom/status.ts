import type { Preparation } from "../kubeadm/settings.ts";
import { byHandText } from "../machine/by-hand.ts";
import type { Journal, Entry } from "./journal.ts";
import type { Look } from "./look.ts";
import type { Student } from "./roster.ts";

/** What is seen of one machine of a student. */
export interface MachineStatus {
  readonly machine: string;
  readonly host: string;
  /** `bare`: nothing of the class is on it. `prepared`: it belongs to the class and is no node yet. `by-hand`: somebody has made a cluster on it. `node`: it is in the cluster. */
  readonly state: "unreachable" | "refused" | "foreign" | "bare" | "prepared" | "by-hand" | "node";
  /** What somebody made by hand, in a few words. */
  readonly byHand?: string;
  /** What is wrong with it, in a sentence. */
  readonly problem?: string;
  readonly next?: string;
}

/** What is seen of one student. */
export interface StudentStatus {
  readonly student: Student;
  readonly machines: readonly MachineStatus[];
  /** `working`: a command works on it now. */
  readonly state: "ready" | "working" | "partial" | "none" | "unreachable";
  /** What the last command did. */
  readonly last?: Entry;
  /** The first problem, and what to do about it. */
  readonly problem?: string;
  readonly next?: string;
}

/** Puts together what the machines show and what the last command left. Pure. @param prepareTo how far the class wants them */
export function statusOf(student: Student, looks: readonly Look[], journal: Pick<Journal, "last" | "runningElsewhere" | "wasKilled">, prepareTo: Preparation): StudentStatus {
  const machines = looks.map((look) => machineStatus(look, prepareTo));
  const last = journal.last(student.id);
  const working = journal.runningElsewhere(student.id) !== undefined;
  const killed = journal.wasKilled(student.id);
  const faulty = machines.find(({ problem }) => problem !== undefined);
  const every = (...states: MachineStatus["state"][]) => machines.every((machine) => states.includes(machine.state));
  const state = working
    ? "working"
    : machines.some(({ state: one }) => one === "unreachable" || one === "refused")
      ? "unreachable"
      : (prepareTo === "cluster" ? every("node") : every("prepared", "by-hand")) && last?.ok !== false && !killed
        ? "ready"
        : every("bare")
          ? "none"
          : "partial";
  const told = faulty ?? (last?.ok === false ? last : killed ? { problem: `\`classroom ${last!.command}\` was killed`, next: "run it again" } : undefined);
  return {
    student,
    machines,
    state,
    ...(last && { last }),
    ...(told?.problem !== undefined && { problem: told.problem }),
    ...(told?.next !== undefined && { next: told.next }),
  };
}

function machineStatus({ student, machine, host, facts, fault, owner }: Look, prepareTo: Preparation): MachineStatus {
  const place = { machine, host };
  if (fault) return { ...place, state: fault.kind === "unreachable" ? "unreachable" : "refused", problem: machine === student.id ? fault.problem : `${machine}: ${fault.problem}`, next: fault.next };
  if (facts!.owner !== "" && facts!.owner !== owner) {
    return { ...place, state: "foreign", problem: `${machine} belongs to ${facts!.owner}`, next: "give it back there, or correct the roster" };
  }
  if (facts!.owner === "") return { ...place, state: "bare" };
  if (facts!.byHand) {
    const byHand = byHandText(facts!.byHand);
    const inTheWay = { problem: `${machine}: somebody has made a cluster on it by hand: ${byHand}`, next: `\`classroom reset ${student.id}\` takes it away and makes the student's own` };
    return { ...place, state: "by-hand", byHand, ...(prepareTo === "cluster" && inTheWay) };
  }
  return { ...place, state: facts!.joined ? "node" : "prepared" };
}
