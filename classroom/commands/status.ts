import type { Command } from "commander";
import { preparationOf } from "../class-file.ts";
import { see } from "../glance.ts";
import type { Student } from "../roster.ts";
import { screenOn } from "../screen.ts";
import { isReady, type StudentStatus } from "../status.ts";
import { closingText, headingText, problemText, rowText } from "../status-text.ts";
import { contextOf, withClass, type ClassOptions } from "./context.ts";

interface StatusOptions extends ClassOptions {
  readonly json?: boolean;
}

/** `classroom status`: how every student is, from the machines themselves. */
export function addStatus(program: Command): void {
  withClass(program.command("status"))
    .description("look at every student's machines and tell how they are; changes nothing")
    .argument("[student...]", "ids; all when left out")
    .option("--json", "print it as JSON")
    .action(async (ids: string[], options: StatusOptions) => {
      const { klass, journal, chosen } = contextOf(options, ids);
      const table = { ids: chosen.map(({ id }) => id), prepareTo: preparationOf(klass) };
      const seen = new Map<Student, StudentStatus>();
      const waiting = () => chosen.filter((student) => !seen.has(student)).map(({ id }) => id);
      const screen = options.json ? undefined : screenOn(process.stdout, () => `${seen.size} of ${chosen.length} looked at; waiting for ${waiting().join(", ")}`);
      screen?.note(headingText(table));
      try {
        await Promise.all(
          chosen.map(async (student) => {
            const status = await see(klass, student, journal);
            seen.set(student, status);
            screen?.note(rowText(status, table));
          }),
        );
      } finally {
        screen?.close();
      }
      const statuses = chosen.map((student) => seen.get(student)!);
      console.log(options.json ? JSON.stringify(statuses.map(withSentences), undefined, 2) : `\n${closingText(statuses)}`);
      process.exitCode = statuses.every(isReady) ? 0 : 1;
    });
}

const withSentences = (status: StudentStatus) => ({ ...status, problems: status.problems.map((problem) => ({ ...problem, ...problemText(problem, status.student.id) })) });
