import type { Command } from "commander";
import { listenForHalt } from "../halt.ts";
import { look } from "../look.ts";
import { duration, explain } from "../outcome.ts";
import { losses, reset, type Level } from "../reset.ts";
import { screenOn } from "../screen.ts";
import { ClassStacks } from "../stacks.ts";
import { shown } from "../shown.ts";
import { confirm, contextOf, withClass, type ClassOptions } from "./context.ts";

interface ResetOptions extends ClassOptions {
  readonly bare?: boolean;
  readonly yes?: boolean;
}

/** `classroom reset`: one student's cluster anew, while the others go on. */
export function addReset(program: Command): void {
  withClass(program.command("reset"))
    .description("make one student's cluster anew on the same machines; the others go on")
    .argument("<student>", "id")
    .option("--bare", "give the machines back first and prepare them anew too")
    .option("--yes", "do not ask")
    .action(async (id: string, options: ResetOptions) => {
      const { klass, journal, chosen } = contextOf(options, [id]);
      const student = chosen[0]!;
      const level: Level = options.bare ? "bare" : "cluster";
      const { lost, kept, takes } = losses[level];
      console.log(`Reset of ${student.id}${student.name === undefined ? "" : ` (${student.name})`}, ${student.machines.map(({ host }) => host).join(", ")}:\n  lost: ${lost}\n  kept: ${kept}\n  takes ${takes}`);
      await confirm("Go on?", options.yes);
      const stacks = await ClassStacks.open(klass, shown(options.class));
      const screen = screenOn(process.stdout, () => "");
      const halt = listenForHalt((line) => screen.note(line));
      try {
        const outcome = await reset(stacks.stackOf(student, journal), level, await look(klass, [student]), (text) => screen.moves(student, text), halt);
        screen.rests(student, outcome.ok ? `ready after ${duration(outcome.seconds)}` : explain(outcome.failure));
        process.exitCode = outcome.ok ? 0 : halt.requested ? 130 : 1;
      } finally {
        screen.close();
        halt.close();
        await stacks.close();
      }
    });
}
