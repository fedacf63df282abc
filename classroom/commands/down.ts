import type { Command } from "commander";
import { isGivenBack, takeDown, type DownResult, type MachineProof } from "../down.ts";
import { listenForHalt } from "../halt.ts";
import { look } from "../look.ts";
import { explain } from "../outcome.ts";
import { madeByHandOn } from "../reset.ts";
import { screenOn } from "../screen.ts";
import { ClassStacks } from "../stacks.ts";
import { tableText } from "../table.ts";
import { shown } from "../shown.ts";
import { confirm, contextOf, parallelismOf, withClass, type ClassOptions } from "./context.ts";

interface DownOptions extends ClassOptions {
  readonly yes?: boolean;
  readonly parallel?: string;
}

const verdicts = { untouched: "untouched", "as-before": "as before", clean: "nothing left", differs: "DIFFERS", "not-given-back": "NOT GIVEN BACK" } as const;

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
      await confirm(`This destroys the clusters of ${chosen.length} students of ${klass.name}, with everything in them. Go on?`, options.yes);
      const stacks = await ClassStacks.open(klass, shown(options.class));
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
      const left = results.filter((result) => !result.outcome.ok || !isGivenBack(result));
      console.log(`\n${countsOf(results.flatMap(({ machines }) => machines))}`);
      if (left.length > 0) console.log(`Next: put right what is told above, and run \`classroom down ${left.map(({ student }) => student.id).join(" ")}\`.`);
      process.exitCode = halt.requested ? 130 : left.length > 0 ? 1 : 0;
    });
}

function reportText(results: readonly DownResult[]): string {
  const table = tableText(
    ["student", "name", "machine", "is"],
    results.flatMap(({ student, machines }) =>
      machines.map(({ machine, host, verdict }, index) => [index === 0 ? student.id : "", index === 0 ? (student.name ?? "") : "", `${machine} ${host}`, verdicts[verdict]]),
    ),
  );
  const problems = results.flatMap(({ student, outcome, machines }) => [
    ...(outcome.ok ? [] : [`${student.id}: ${explain(outcome.failure)}`]),
    ...machines.filter(({ findings }) => findings.length > 0).map(({ machine, findings, next }) => explain({ problem: `${machine}: ${findings.join("; ")}`, next })),
  ]);
  return [table, ...(problems.length > 0 ? ["", ...problems] : [])].join("\n");
}

/** `4 machines: 3 as before, 1 not given back.` */
function countsOf(machines: readonly MachineProof[]): string {
  const kinds = Object.entries(verdicts).flatMap(([verdict, words]) => {
    const count = machines.filter((machine) => machine.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${words.toLowerCase()}`];
  });
  return `${machines.length === 1 ? "1 machine" : `${machines.length} machines`}: ${kinds.join(", ")}.`;
}
