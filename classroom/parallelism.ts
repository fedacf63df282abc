import { availableParallelism } from "node:os";

const megabyte = 1024 * 1024;

/** Memory of one student's engine, program, provider and language host, and of this program: measured by bench/classroom.ts. */
const perStudent = 400 * megabyte;
const own = 200 * megabyte;

/** A student's engine works for seconds and waits for minutes, so several share a processor. */
const perProcessor = 8;

/** What this computer has to give. */
export interface Computer {
  /** Bytes that may be taken without harm. */
  readonly freeMemory: number;
  readonly processors: number;
}

/** This computer, or the part of it that a container may use. */
export const thisComputer = (): Computer => ({ freeMemory: process.availableMemory(), processors: availableParallelism() });

/** How many students are built at the same time, with the reason. At most four fifths of the free memory are taken. */
export function parallelStudents({ freeMemory, processors }: Computer): { readonly students: number; readonly reason: string } {
  const byMemory = Math.floor((freeMemory * 0.8 - own) / perStudent);
  const byProcessors = processors * perProcessor;
  const students = Math.max(1, Math.min(byMemory, byProcessors));
  const memory = `${Math.round(freeMemory / megabyte)} MB of memory are free and one takes ${perStudent / megabyte}`;
  return { students, reason: byMemory <= byProcessors ? memory : `${processors} processors, ${perProcessor} at each` };
}
