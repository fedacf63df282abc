import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { reportHtml } from "./report-page.ts";
import type { DownResult } from "./down.ts";
import type { Look } from "./look.ts";
import type { MachineProof } from "./proof.ts";

const entrySchema = z.object({
  student: z.string(),
  name: z.string().optional(),
  machine: z.string(),
  host: z.string(),
  verdict: z.enum(["untouched", "as-before", "clean", "differs", "unproven", "not-given-back"]),
  /** When this was found, ISO 8601. */
  at: z.string(),
  findings: z.array(z.string()),
  left: z.array(z.string()),
  comparedWith: z.string().optional(),
  excused: z.record(z.string(), z.number()).optional(),
  /** Why the student's stack is not destroyed. */
  problem: z.string().optional(),
});

/** What was proven of one machine, and when. */
export type ReportEntry = z.output<typeof entrySchema>;

const reportSchema = z.object({ class: z.string(), machines: z.array(entrySchema) });

/** What was proven of all machines of a class. */
export type Report = z.output<typeof reportSchema>;

/**
 * What is proven of a class's machines now, with what was found of those that were not looked at this time, or were stopped on the
 * way.
 *
 * @param earlier the report of before
 */
export function mergedReport(klass: string, results: readonly DownResult[], earlier: Report | undefined, at: Date): Report {
  const ended = results.filter(({ outcome }) => outcome.ok || outcome.failure.kind !== "stopped");
  const found = ended.flatMap(({ student, outcome, machines }) =>
    machines.map(({ next: _, findings, left, ...proof }): ReportEntry => ({
      student: student.id,
      ...(student.name !== undefined && { name: student.name }),
      ...proof,
      at: proof.at ?? at.toISOString(),
      findings: [...findings],
      left: [...left],
      ...(!outcome.ok && { problem: outcome.failure.problem }),
    })),
  );
  const same = (a: ReportEntry) => (b: ReportEntry) => a.student === b.student && a.machine === b.machine && a.host === b.host;
  const kept = (earlier?.machines ?? []).filter((old) => !found.some(same(old)));
  return { class: klass, machines: [...kept, ...found].sort((a, b) => a.student.localeCompare(b.student) || a.machine.localeCompare(b.machine)) };
}

/** What an earlier run has found of a machine; undefined when the class was never on it, or the report does not name it. */
export function foundBefore(report: Report | undefined, { student, machine, host }: Pick<Look, "student" | "machine" | "host">): MachineProof | undefined {
  const entry = report?.machines.find((old) => old.student === student.id && old.machine === machine && old.host === host);
  if (!entry || entry.verdict === "untouched") return undefined;
  const { student: _id, name: _name, problem: _problem, ...proof } = entry;
  return proof;
}

const files = { json: "given-back.report.json", html: "given-back.report.html" };

/**
 * Writes what was proven of each machine, as JSON and as a page, for the operator only.
 *
 * @param directory of the class's journal. No student can have these names: an id has no dot
 * @returns path of the page
 */
export function writeReport(directory: string, klass: string, results: readonly DownResult[], at = new Date()): string {
  const html = join(directory, files.html);
  const report = mergedReport(klass, results, readReport(directory), at);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  replace(join(directory, files.json), `${JSON.stringify(report, undefined, 2)}\n`);
  replace(html, reportHtml(report));
  return html;
}

/**
 * The report that is there; undefined when there is none, or one that cannot be read.
 *
 * @param directory as of `writeReport`
 */
export function readReport(directory: string): Report | undefined {
  const path = join(directory, files.json);
  if (!existsSync(path)) return undefined;
  try {
    return reportSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
