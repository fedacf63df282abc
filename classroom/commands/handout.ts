import type { Command } from "commander";
import type { HandoutResult } from "../handout/hand-out.ts";
import { screenOn } from "../screen.ts";
import { contextOf, withClass, type ClassOptions } from "./context.ts";
import { checkHandoutSettings, handoutText, handOutTo } from "./handing-out.ts";

/** `classroom handout`: what students get, anew for those who lost it. */
export function addHandout(program: Command): void {
  withClass(program.command("handout"))
    .description("make each student's card, key, kubeconfigs and zip, and your own sheet; what is there and good is kept")
    .argument("[student...]", "ids; all when left out")
    .action(async (ids: string[], options: ClassOptions) => {
      const context = contextOf(options, ids);
      const { journal, chosen } = context;
      checkHandoutSettings(context);
      const busy = chosen.filter(({ id }) => journal.runningElsewhere(id));
      const screen = screenOn(process.stdout, () => "");
      let results: HandoutResult[];
      try {
        results = await handOutTo(chosen.filter((student) => !busy.includes(student)), context, screen);
      } finally {
        screen.close();
      }
      for (const student of busy) results.push({ student, ok: false, problem: `another \`classroom ${journal.last(student.id)!.command}\` works on it`, next: "wait until it has ended; it hands out itself" });
      console.log(`\n${handoutText(results, context)}`);
      process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
    });
}
