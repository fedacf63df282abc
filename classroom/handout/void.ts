import type { ClassSettings } from "../class-file.ts";
import { moment } from "../moment.ts";
import type { Student } from "../roster.ts";
import { shown } from "../shown.ts";
import { writeSheet } from "./hand-out.ts";
import { Handouts } from "./store.ts";

/**
 * Removes what was handed to students whose machines are given back: their keys and certificates open nothing any more.
 *
 * @param students the whole roster
 */
export async function voidHandouts(gone: readonly Student[], { klass, students }: { readonly klass: ClassSettings; readonly students: readonly Student[] }): Promise<void> {
  const handouts = new Handouts(klass);
  for (const { id } of gone) handouts.forget(id);
  await writeSheet(students, { klass, handouts });
}

/** What still opens the machines of a student who is not given back, a sentence each; empty when nothing was handed out. */
export function stillOpen({ id }: Student, klass: ClassSettings): string[] {
  const handouts = new Handouts(klass);
  const handout = handouts.of(id);
  if (!handout) return [];
  const cluster = handout.cluster ? `, and the kubeconfigs in ${shown(handouts.folderOf(id))} open its cluster until ${moment(handout.cluster.ends)}` : "";
  return [`${id}: what was handed out is not void: the key ${shown(handouts.keyPathOf(id))} still opens ${handout.machines.map(({ host }) => host).join(", ")}${cluster}. They stay there until \`classroom down ${id}\` has given the machines back.`];
}
