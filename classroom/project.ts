import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

/** The project whose program makes a student's cluster: the one that this file belongs to. */
export const projectDirectory = resolve(import.meta.dirname, "..");

/** Pulumi's name of the project. */
export const projectName: string = (parse(readFileSync(join(projectDirectory, "Pulumi.yaml"), "utf8")) as { name: string }).name;

/** `<class>-<student>`: the stack, and the cluster in it. */
export const stackName = (klass: { readonly name: string }, student: { readonly id: string }): string => `${klass.name}-${student.id}`;

/** `project/stack/cluster`, as a machine of the student's cluster knows its owner (components/cluster.ts). */
export function ownerOf(klass: { readonly name: string }, student: { readonly id: string }): string {
  const name = stackName(klass, student);
  return `${projectName}/${name}/${name}`;
}
