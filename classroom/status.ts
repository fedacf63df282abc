import type { Journal, Entry } from "./journal.ts";
import type { Look } from "./look.ts";
import type { Student } from "./roster.ts";

/** What is seen of one machine of a student. */
export interface MachineStatus {
  readonly machine: string;
  readonly host: string;
  /** `bare`: nothing of the class is on it. `prepared`: it belongs to the class and is no node yet. `node`: it is in the cluster. */
  readonly state: "unreachable" | "refused" | "foreign" | "bare" | "prepared" | "node";
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

/** Puts together what the machines show and what the last command left. Pure. */
export function statusOf(student: Student, looks: readonly Look[], journal: Pick<Journal, "last" | "runningElsewhere" | "wasKilled">): StudentStatus {
  const machines = looks.map(machineStatus);
  const last = journal.last(student.id);
  const working = journal.runningElsewhere(student.id) !== undefined;
  const killed = journal.wasKilled(student.id);
  const faulty = machines.find(({ problem }) => problem !== undefined);
  const every = (state: MachineStatus["state"]) => machines.every((machine) => machine.state === state);
  const state = working
    ? "working"
    : machines.some(({ state: one }) => one === "unreachable" || one === "refused")
      ? "unreachable"
      : every("node") && last?.ok !== false && !killed
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

function machineStatus({ student, machine, host, facts, fault, owner }: Look): MachineStatus {
  const place = { machine, host };
  if (fault) return { ...place, state: fault.kind === "unreachable" ? "unreachable" : "refused", problem: machine === student.id ? fault.problem : `${machine}: ${fault.problem}`, next: fault.next };
  if (facts!.owner !== "" && facts!.owner !== owner) {
    return { ...place, state: "foreign", problem: `${machine} belongs to ${facts!.owner}`, next: "give it back there, or correct the roster" };
  }
  if (facts!.owner === "") return { ...place, state: "bare" };
  return { ...place, state: facts!.joined ? "node" : "prepared" };
}
