import { address as addressField } from "../kubeadm/fields.ts";
import { count } from "./count.ts";
import { decode } from "./roster/decode.ts";
import { columnsOf, type Columns, type Field } from "./roster/headings.ts";
import { hostKeysOf } from "./roster/host-keys.ts";
import { machineAddress, portOf, wordsOf, type MachineAddress } from "./roster/machine-address.ts";
import { machinesOf, shapeOf, shapeText, type Shape } from "./roster/shape.ts";
import { idFault, suggestedId } from "./roster/student-id.ts";
import { tableOf, type Row } from "./roster/table.ts";

export type { Shape } from "./roster/shape.ts";

/** A machine of a student. */
export interface StudentMachine extends MachineAddress {
  /** Its IPv4 address inside the cluster, where that is another one than its host. */
  readonly clusterAddress?: string;
  /** SSH host key or fingerprint that it must show, whatever it showed before: the word with which a machine that was installed anew is taken. */
  readonly hostKey?: string;
}

/** One student with the machines of the own cluster. */
export interface Student {
  /** DNS label, unique in the class, as `s07`: name of the node, and part of the stack's name. */
  readonly id: string;
  readonly name?: string;
  readonly mail?: string;
  /** Control planes first, then workers. */
  readonly machines: readonly StudentMachine[];
  /** When the roster gives this student another size than the class has. */
  readonly size?: Shape;
  /** Floating address of the API, which three control planes need. */
  readonly vip?: string;
  /** Line in the roster. */
  readonly line: number;
}

/** Something in the roster that must be put right before anything starts. */
export interface RosterFault {
  /** From 1. */
  readonly line: number;
  /** From 1; absent for the whole line. */
  readonly column?: number;
  readonly reason: string;
}

/** What the class file says about everybody. */
export interface RosterRules {
  /** Machines of each student; default: as many as most students have. */
  readonly shape?: Shape;
  /** SSH port of machines without one; default 22. */
  readonly port?: number;
}

/**
 * Reads a roster as a spreadsheet exports it: students, one a line, under a line that names the columns. All faults are told at once.
 *
 * @param bytes of a CSV file: UTF-8, UTF-16 or CP949; commas, semicolons or tabs
 * @returns everybody who is named; who has a fault on the own line is not to be worked with
 */
export function readRoster(bytes: Uint8Array, rules: RosterRules = {}): { students: Student[]; faults: RosterFault[] } {
  const { text, faults: unreadable } = decode(bytes);
  const { rows, faults: untidy } = tableOf(text);
  const [heading, ...lines] = rows;
  if (!heading) return { students: [], faults: unreadable.length > 0 ? unreadable : [{ line: 1, reason: "the roster is empty" }] };
  const { columns, faults: unnamed } = columnsOf(heading);
  const entries = unnamed.length > 0 ? [] : lines.map((row) => entryOf(row, columns));
  const faults = [
    ...unreadable,
    ...untidy,
    ...unnamed,
    ...entries.flatMap((entry) => entry.faults),
    ...ids(entries),
    ...unevenSets(entries, rules.shape),
    ...sharedMachines(entries, rules.port ?? 22),
    ...sharedVips(entries),
    ...(lines.length === 0 && untidy.length + unnamed.length === 0 ? [{ line: heading.line, reason: "the roster names no student" }] : []),
  ];
  return { students: entries.map(({ student }) => student), faults: faults.sort((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0)) };
}

/** A line of the roster, with what is wrong with its cells. */
interface Entry {
  readonly student: Student;
  readonly columns: Columns;
  readonly faults: RosterFault[];
}

function entryOf({ line, cells }: Row, columns: Columns): Entry {
  const faults: RosterFault[] = [];
  const fault = (field: Field, reason: string) => void faults.push({ line, column: columns[field][0]! + 1, reason });
  /** The value in a column that may be empty; a text in place of a value is a fault. */
  const optional = <T>(field: Field, read: (text: string) => T | string): T | undefined => {
    const text = cell(cells, columns, field);
    if (text === "") return undefined;
    const value = read(text);
    if (typeof value !== "string") return value;
    fault(field, value);
    return undefined;
  };
  const plain = (field: Field) => optional(field, (text) => ({ text }))?.text;

  const words = (field: Field) => columns[field].flatMap((column) => wordsOf((cells[column] ?? "").normalize("NFKC")).map((word) => ({ word, column: column + 1 })));
  const port = optional("port", portOf);
  const user = plain("user");
  const machines = words("machines").flatMap(({ word, column }): StudentMachine[] => {
    const address = machineAddress(word);
    if (typeof address !== "string") return [{ ...(port !== undefined && { port }), ...(user !== undefined && { user }), ...address }];
    faults.push({ line, column, reason: address });
    return [];
  });
  if (words("machines").length === 0) fault("machines", "names no machine");

  const internal = words("internal");
  for (const { word, column } of internal) {
    if (!addressField.safeParse(word).success) faults.push({ line, column, reason: `${word} is no address inside a cluster: it must be an IPv4 address, as 10.0.0.11` });
  }
  if (internal.length > 0 && internal.length !== words("machines").length) {
    fault("internal", `names ${count(internal.length, "address", "addresses")} for ${count(words("machines").length, "machine")}: write one for each machine, in the same order`);
  }

  const { keys, faults: noKeys } = hostKeysOf(words("hostkey").map(({ word }) => word));
  for (const reason of noKeys) fault("hostkey", reason);
  if (keys.length > 0 && noKeys.length === 0 && keys.length !== words("machines").length) {
    fault("hostkey", `names ${count(keys.length, "host key")} for ${count(words("machines").length, "machine")}: write one for each machine, in the same order, or - for one that needs none`);
  }

  const mail = optional("mail", (text) => (/^[^\s@]+@[^\s@]+$/.test(text) ? { text } : `${text} is no mail address`))?.text;
  const size = optional("size", (text) => shapeOf(text) ?? `${text} is no size: write 1, or control planes + workers, as 1+2 or 3+0`);
  const vip = optional("vip", (text) => (addressField.safeParse(text).success ? { text } : `${text} is no IPv4 address`))?.text;
  const name = plain("name");
  const student: Student = {
    id: cell(cells, columns, "student"),
    ...(name !== undefined && { name }),
    ...(mail !== undefined && { mail }),
    machines: machines.map((machine, index) => ({ ...machine, ...(internal[index] && { clusterAddress: internal[index].word }), ...(keys[index] !== undefined && { hostKey: keys[index] }) })),
    ...(size && { size }),
    ...(vip !== undefined && { vip }),
    line,
  };
  return { student, columns, faults };
}

/** What a cell holds; of a name every letter as it was written, of all else digits and letters in their plain form, not the wide one. */
function cell(cells: readonly string[], columns: Columns, field: Field): string {
  const text = cells[columns[field][0] ?? cells.length] ?? "";
  return field === "name" ? text : text.normalize("NFKC");
}

function ids(entries: readonly Entry[]): RosterFault[] {
  const first = new Map<string, number>();
  const good = new Set(entries.map(({ student }) => student.id).filter((id) => idFault(id) === undefined));
  return entries.flatMap(({ student: { id, line }, columns }, index) => {
    const fault = (reason: string) => [{ line, column: columns.student[0]! + 1, reason }];
    const suggest = () => {
      const suggestion = suggestedId(id, index + 1, good);
      good.add(suggestion);
      return suggestion;
    };
    if (id === "") return fault(`names no student. Next: write an id, as ${suggest()}, or remove the line`);
    const reason = idFault(id);
    if (reason) return fault(`${reason}. Next: write ${suggest()}`);
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, line);
    return earlier === undefined ? [] : fault(`${id} is on line ${earlier} already. Next: write all machines of a student on one line, or another id, as ${suggest()}`);
  });
}

/** Students with another number of machines than their size, the class or most others have. */
function unevenSets(entries: readonly Entry[], shape: Shape | undefined): RosterFault[] {
  const counts = entries.filter(({ student }) => !student.size).map(({ student }) => student.machines.length);
  const times = (number: number) => counts.filter((other) => other === number).length;
  const usual = counts.reduce((best, number) => (times(number) > times(best) ? number : best), counts[0] ?? 0);
  return entries.flatMap(({ student: { machines, size, line }, columns, faults }) => {
    const wanted = size ?? shape;
    const expected = wanted ? machinesOf(wanted) : usual;
    // What is wrong with a cell explains a missing machine already.
    if (machines.length === expected || machines.length === 0 || faults.length > 0) return [];
    const why = wanted ? `${size ? "its size" : "the class's shape"} ${shapeText(wanted)} needs ${expected}` : `most students have ${expected}`;
    return [{ line, column: columns.machines[0]! + 1, reason: `names ${count(machines.length, "machine")}, and ${why}` }];
  });
}

/** Two clusters that let one address float would take it from each other. */
function sharedVips(entries: readonly Entry[]): RosterFault[] {
  const first = new Map<string, Student>();
  return entries.flatMap(({ student, columns }) => {
    const { vip } = student;
    if (vip === undefined) return [];
    const earlier = first.get(vip);
    if (!earlier) first.set(vip, student);
    return earlier ? [{ line: student.line, column: columns.vip[0]! + 1, reason: `${vip} is ${earlier.id || "a student"}'s already (line ${earlier.line}); each cluster needs an address of its own` }] : [];
  });
}

/** Machines that two students, or one student twice, would share. */
function sharedMachines(entries: readonly Entry[], defaultPort: number): RosterFault[] {
  const first = new Map<string, Student>();
  return entries.flatMap(({ student, columns }) =>
    student.machines.flatMap(({ host, port = defaultPort }) => {
      const place = port === defaultPort ? host : `${host}:${port}`;
      const earlier = first.get(place);
      if (!earlier) first.set(place, student);
      if (!earlier) return [];
      const whose = earlier === student ? "twice on this line" : `${earlier.id || "the student"}'s already (line ${earlier.line})`;
      return [{ line: student.line, column: columns.machines[0]! + 1, reason: `${place} is ${whose}; each machine belongs to one student` }];
    }),
  );
}
