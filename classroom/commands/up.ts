import type { Command } from "commander";
import { Option } from "commander";
import { takeFingerprint } from "../../machine/fingerprint.ts";
import { preparationOf } from "../class-file.ts";
import { count } from "../count.ts";
import { see } from "../glance.ts";
import type { HandoutResult } from "../handout/hand-out.ts";
import { listenForHalt } from "../halt.ts";
import { look, silent, type Look } from "../look.ts";
import { duration, explain, readyText, type Result } from "../outcome.ts";
import type { Student } from "../roster.ts";
import { screenOn } from "../screen.ts";
import { ClassStacks } from "../stacks.ts";
import { isReady } from "../status.ts";
import { tableText } from "../table.ts";
import { bringUp, Counts } from "../up.ts";
import { shown } from "../shown.ts";
import { contextOf, parallelismOf, withClass, type ClassOptions } from "./context.ts";
import { checkHandoutSettings, handoutText, handOutTo } from "./handing-out.ts";

interface UpOptions extends ClassOptions {
  readonly only?: "failed";
  readonly parallel?: string;
}

/** `classroom up`: every student's cluster, with a limit on how many at once. */
export function addUp(program: Command): void {
  withClass(program.command("up"))
    .description("make the students' clusters, or go on with making them; may be stopped and started again at any moment")
    .argument("[student...]", "ids; all when left out")
    .addOption(new Option("--only <which>", "only students whose cluster is not ready").choices(["failed"]))
    .option("--parallel <n>", "students at the same time; as many as there is memory for when left out")
    .action(async (ids: string[], options: UpOptions) => {
      const context = contextOf(options, ids);
      const { klass, journal } = context;
      checkHandoutSettings(context);
      const parallelism = parallelismOf(context, options.parallel);
      const stacks = await ClassStacks.open(klass, shown(options.class));
      const stackOf = (student: Student) => stacks.stackOf(student, journal);
      const seeNow = (student: Student) => see(klass, student, journal);
      const statuses = options.only === "failed" ? await Promise.all(context.chosen.map(seeNow)) : undefined;
      const chosen = statuses ? statuses.filter((status) => !isReady(status)).map(({ student }) => student) : context.chosen;
      const mend = new Set(statuses?.filter(({ state }) => state === "not-ready").map(({ student }) => student));
      if (chosen.length === 0) return console.log("Every student's cluster is ready.");

      const counts = new Counts(chosen.length);
      const screen = screenOn(process.stdout, () => String(counts));
      const halt = listenForHalt((line) => screen.note(line));
      screen.note(`${count(chosen.length, "student")} of ${klass.name}, ${Math.min(parallelism.students, chosen.length)} at the same time (${parallelism.reason}).`);
      const start = Date.now();
      let results: Result[];
      let handed: HandoutResult[] = [];
      try {
        const work = {
          klass,
          journal,
          stackOf,
          look: (student: Student) => look(klass, [student], ({ id }) => journal.hostKeys(id)),
          fingerprint: ({ target }: Look) => takeFingerprint(target, silent),
          parallelism: parallelism.students,
          screen,
          halt,
          see: seeNow,
          mend,
        };
        results = await bringUp(chosen, work, counts);
        if (!halt.requested) handed = await handOutTo(results.flatMap(({ student, outcome }) => (outcome.ok ? [student] : [])), context, screen);
      } finally {
        screen.close();
        halt.close();
        await stacks.close();
      }
      console.log(`\n${reportText(results, readyText(preparationOf(klass)))}`);
      if (handed.length > 0) console.log(`\n${handoutText(handed, context)}`);
      console.log(`\n${closing(results, (Date.now() - start) / 1000, shown(journal.directory))}`);
      process.exitCode = halt.requested ? 130 : [...results.map(({ outcome }) => outcome), ...handed].every(({ ok }) => ok) ? 0 : 1;
    });
}

/** @param ready how it is called when all is well */
function reportText(results: readonly Result[], ready: string): string {
  const table = tableText(
    ["student", "name", "machines", "cluster", "time"],
    results.map(({ student, outcome }) => [
      student.id,
      student.name ?? "",
      student.machines.map(({ host }) => host).join("\n"),
      outcome.ok ? ready : "NOT READY",
      outcome.seconds === 0 ? "" : duration(outcome.seconds),
    ]),
  );
  const problems = results.flatMap(({ student, outcome }) => (outcome.ok ? [] : [`${student.id}: ${explain(outcome.failure)}`]));
  return [table, ...(problems.length > 0 ? ["", ...problems] : [])].join("\n");
}

function closing(results: readonly Result[], seconds: number, logs: string): string {
  const ready = results.filter(({ outcome }) => outcome.ok).length;
  const said = `${ready} of ${results.length} ready after ${duration(seconds)}.`;
  if (ready === results.length) return said;
  return `${said} What each engine said: ${logs}/<student>.log\nNext: put right what is told above, and run \`classroom up --only failed\`.`;
}
