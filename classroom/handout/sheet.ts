import type { ClassSettings } from "../class-file.ts";
import { shown } from "../shown.ts";
import type { Student } from "../roster.ts";
import { calledOf } from "./card.ts";
import { zoneOf } from "./ends.ts";
import type { Handout } from "./facts.ts";
import { fingerprintOfText } from "./fingerprint.ts";
import type { Page } from "./page.ts";
import { timeText, wordsOf, type Words } from "./words.ts";

/**
 * The page of whoever runs the class: who has what, and where it is. Nothing on it is secret.
 *
 * @param students of the roster; also those who have nothing are told
 * @param operatorKey public key of whoever runs the class
 * @param directory of the students' folders
 */
export function sheet(klass: ClassSettings, students: readonly Student[], handouts: readonly Handout[], operatorKey: string | undefined, directory: string): Page {
  const words = wordsOf(klass.language);
  const { sheet: own } = words;
  const gone = handouts.filter(({ student }) => students.every(({ id }) => id !== student.id));
  const rows = [
    ...students.map((student) => rowOf(student, handouts.find((handout) => handout.student.id === student.id), klass, words)),
    ...gone.map((handout) => rowOf({ ...handout.student, machines: handout.machines }, handout, klass, words)),
  ];
  return {
    language: klass.language,
    title: klass.name,
    subtitle: own.title,
    blocks: [
      { kind: "table", head: [own.student, own.machines, "ssh", own.certificates, own.folder], rows },
      { kind: "heading", text: own.yourWay },
      { kind: "text", text: operatorKey === undefined ? own.noKey : own.yourKey(fingerprintOfText(operatorKey)) },
      { kind: "heading", text: own.where },
      { kind: "text", text: own.folders(shown(directory)) },
      { kind: "text", text: own.hand },
      { kind: "text", text: own.evening },
    ],
    footer: own.noSecret,
  };
}

function rowOf(student: Pick<Student, "id" | "name"> & { machines: readonly { host: string; port?: number; user?: string }[] }, handout: Handout | undefined, klass: ClassSettings, words: Words): string[] {
  const { ssh } = klass.cluster;
  const way = ({ host, port = ssh?.port ?? 22, user = ssh?.user ?? "root" }: (typeof student.machines)[number]) => `${user}@${host}${port === 22 ? "" : ` -p ${port}`}`;
  const { sheet: own } = words;
  return [
    calledOf(student),
    (handout?.machines ?? student.machines).map(({ host, ...machine }) => ("name" in machine ? `${String(machine.name)} ${host}` : host)).join("\n"),
    student.machines.map(way).join("\n"),
    !handout ? "" : handout.cluster ? timeText(new Date(handout.cluster.ends), words, zoneOf(klass)) : own.none,
    handout ? `${student.id}/ ${student.id}.zip` : own.notYet,
  ];
}
