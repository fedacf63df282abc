import type { Command } from "commander";
import { takeFingerprint } from "../../machine/fingerprint.ts";
import { count } from "../count.ts";
import { isAsBefore, isGivenBack, takeDown, type DownResult } from "../down.ts";
import { stillOpen, voidHandouts } from "../handout/void.ts";
import { listenForHalt } from "../halt.ts";
import { look, silent } from "../look.ts";
import { moment } from "../moment.ts";
import { explain } from "../outcome.ts";
import { madeByHandOn } from "../reset.ts";
import type { MachineProof } from "../proof.ts";
import { foundBefore, readReport, writeReport } from "../report.ts";
import { screenOn } from "../screen.ts";
import { ClassStacks } from "../stacks.ts";
import { tableText } from "../table.ts";
import { shown } from "../shown.ts";
import { verdictWords } from "../verdicts.ts";
import { confirm, contextOf, parallelismOf, withClass, type ClassOptions } from "./context.ts";

interface DownOptions extends ClassOptions {
  readonly yes?: boolean;
  readonly parallel?: string;
}

/** `classroom down`: all machines back, with a proof for each. */
export function addDown(program: Command): void {
  withClass(program.command("down"))
    .description("destroy the students' clusters and give the machines back; tells for each machine whether it is as it was")
    .argument("[student...]", "ids; all when left out")
    .option("--yes", "do not ask")
    .option("--parallel <n>", "students at the same time; as many as there is memory for when left out")
    .action(async (ids: string[], options: DownOptions) => {
      const context = contextOf(options, ids);
      const { klass, journal, chosen } = context;
      const parallelism = parallelismOf(context, options.parallel);
      const byHand = madeByHandOn(await look(klass, chosen));
      if (byHand.length > 0) console.log(`What goes too:\n${byHand.map((line) => `  ${line}`).join("\n")}`);
      await confirm(`This destroys ${chosen.length === 1 ? "the cluster of" : "the clusters of"} ${count(chosen.length, "student")} of ${klass.name}, with everything in them. Go on?`, options.yes);
      const stacks = await ClassStacks.open(klass, shown(options.class));
      const report = readReport(journal.directory);
      let done = 0;
      const screen = screenOn(process.stdout, () => `${done} of ${chosen.length} done`);
      const halt = listenForHalt((line) => screen.note(line));
      const counted = { ...screen, rests: (...args: Parameters<typeof screen.rests>) => ((done += 1), screen.rests(...args)) };
      let results: DownResult[];
      try {
        results = await takeDown(chosen, {
          journal,
          stackOf: (student) => stacks.stackOf(student, journal),
          look: (student) => look(klass, [student], () => Object.fromEntries(journal.before(student.id).map(({ machine, hostKey }) => [machine, hostKey]))),
          fingerprint: ({ target }) => takeFingerprint(target, silent),
          foundBefore: (seen) => foundBefore(report, seen),
          parallelism: parallelism.students,
          screen: counted,
          halt,
        });
      } finally {
        screen.close();
        halt.close();
        await stacks.close();
      }
      console.log(`\n${reportText(results)}`);
      const left = results.filter((result) => !result.outcome.ok || !isAsBefore(result));
      const open = results.filter((result) => !result.outcome.ok || !isGivenBack(result));
      await voidHandouts(results.filter((result) => !open.includes(result)).map(({ student }) => student), context);
      for (const { student } of open) for (const sentence of stillOpen(student, klass)) console.log(sentence);
      console.log(`\n${countsOf(results.flatMap(({ machines }) => machines))}`);
      console.log(`What was found on each machine: ${shown(writeReport(journal.directory, klass.name, results))}`);
      if (left.length > 0) console.log(`Next: put right what is told above, and run \`classroom down ${left.map(({ student }) => student.id).join(" ")}\`.`);
      process.exitCode = halt.requested ? 130 : left.length > 0 ? 1 : 0;
    });
}

function reportText(results: readonly DownResult[]): string {
  const table = tableText(
    ["student", "name", "machine", "is"],
    results.flatMap(({ student, machines }) =>
      machines.map(({ machine, host, verdict, at }, index) => [
        index === 0 ? student.id : "",
        index === 0 ? (student.name ?? "") : "",
        `${machine} ${host}`,
        `${verdictWords[verdict]}${at === undefined ? "" : ` (${moment(at)})`}`,
      ]),
    ),
  );
  const problems = results.flatMap(({ student, outcome, machines }) => [
    ...(outcome.ok ? [] : [`${student.id}: ${explain(outcome.failure)}`]),
    ...machines.filter(({ findings }) => findings.length > 0).map(explainMachine),
  ]);
  return [table, ...(problems.length > 0 ? ["", ...problems] : [])].join("\n");
}

/** A line for each thing that was found. What people left at home is no fault, and is told where there are others. */
function explainMachine({ machine, verdict, findings, left, next }: MachineProof): string {
  const told = [...findings, ...left.map((sentence) => `left by the student: ${sentence}`)].map((sentence) => sentence.split("\n")[0]);
  const lines = verdict === "differs" ? ["given back, and is not as before", ...told.map((sentence) => `  ${sentence}`)] : told;
  return [`${machine}: ${lines.join("\n")}`, ...(next === undefined ? [] : [`  Next: ${next}`])].join("\n");
}

/** `4 machines: 3 as before, 1 not given back.` */
function countsOf(machines: readonly MachineProof[]): string {
  const kinds = Object.entries(verdictWords).flatMap(([verdict, words]) => {
    const number = machines.filter((machine) => machine.verdict === verdict).length;
    return number === 0 ? [] : [`${number} ${words.toLowerCase()}`];
  });
  return `${count(machines.length, "machine")}: ${kinds.join(", ")}.`;
}
