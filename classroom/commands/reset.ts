import { Option, type Command } from "commander";
import { listenForHalt } from "../halt.ts";
import { look, parsedSettings } from "../look.ts";
import { duration, explain, failureOfLooks, readyText } from "../outcome.ts";
import { lossesOf, madeByHandOn, reset, wayOf, type Level } from "../reset.ts";
import { screenOn } from "../screen.ts";
import { ClassStacks } from "../stacks.ts";
import { shown } from "../shown.ts";
import { confirm, contextOf, withClass, type ClassOptions } from "./context.ts";
import { checkHandoutSettings, handoutText, handOutTo } from "./handing-out.ts";

interface ResetOptions extends ClassOptions {
  readonly bare?: boolean;
  readonly newCa?: boolean;
  readonly yes?: boolean;
}

/** `classroom reset`: one student's cluster anew, while the others go on. */
export function addReset(program: Command): void {
  withClass(program.command("reset"))
    .description("make one student's cluster anew on the same machines; the others go on")
    .argument("<student>", "id")
    .addOption(new Option("--new-ca", "with a new CA: every kubeconfig that was handed out is void").conflicts("bare"))
    .option("--bare", "give the machines back first and prepare them anew too")
    .option("--yes", "do not ask")
    .action(async (id: string, options: ResetOptions) => {
      const context = contextOf(options, [id]);
      const { klass, journal, chosen } = context;
      checkHandoutSettings(context);
      const student = chosen[0]!;
      const level: Level = options.bare ? "bare" : options.newCa ? "new-ca" : "cluster";
      const { prepareTo } = parsedSettings(klass, student);
      const [looks, stacks] = await Promise.all([look(klass, [student]), ClassStacks.open(klass, shown(options.class))]);
      try {
        const failure = failureOfLooks(looks);
        if (failure) throw new Error(`${student.id}: ${explain(failure)}`);
        const stack = stacks.stackOf(student, journal);
        const way = await wayOf(stack, level, prepareTo);
        const { lost, kept, takes } = lossesOf(way);
        console.log(`Reset of ${student.id}${student.name === undefined ? "" : ` (${student.name})`}, ${student.machines.map(({ host }) => host).join(", ")}:`);
        for (const line of [...madeByHandOn(looks), `lost: ${lost}`, `kept: ${kept}`, `takes ${takes}`]) console.log(`  ${line}`);
        await confirm("Go on?", options.yes);
        const screen = screenOn(process.stdout, () => "");
        const halt = listenForHalt((line) => screen.note(line));
        try {
          const outcome = await reset(stack, way, looks, (text) => screen.moves(student, text), halt);
          screen.rests(student, outcome.ok ? `${readyText(prepareTo)} after ${duration(outcome.seconds)}` : explain(outcome.failure));
          process.exitCode = outcome.ok ? 0 : halt.requested ? 130 : 1;
          if (!outcome.ok || halt.requested) return;
          // Rights in the old cluster went with it, and where it has a new CA, so did the certificates.
          const handed = await handOutTo([student], context, screen);
          screen.note(handoutText(handed, context));
          if (!handed.every(({ ok }) => ok)) process.exitCode = 1;
        } finally {
          screen.close();
          halt.close();
        }
      } finally {
        await stacks.close();
      }
    });
}
