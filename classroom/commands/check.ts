import type { Command } from "commander";
import { check } from "../check.ts";
import { count } from "../count.ts";
import { shown } from "../shown.ts";
import { contextOf, withClass, type ClassOptions } from "./context.ts";

/** `classroom check`: the roster and every machine in it, before anything starts. */
export function addCheck(program: Command): void {
  withClass(program.command("check"))
    .description("check the roster and look at every machine, all at once; changes nothing")
    .argument("[student...]", "ids; all when left out")
    .action(async (ids: string[], options: ClassOptions) => {
      const { klass, chosen, journal } = contextOf(options, ids);
      console.log(`The roster is in order: ${count(chosen.length, "student")}. Looking at ${count(chosen.flatMap(({ machines }) => machines).length, "machine")}.`);
      const results = await check(klass, chosen, ({ id }) => journal.hostKeys(id));
      const faulty = results.filter(({ faults }) => faults.length > 0);
      for (const { student, faults } of faulty) {
        for (const fault of faults) console.log(`${shown(klass.roster)}:${student.line}: ${fault}`);
      }
      if (faulty.length === 0) return console.log("Every machine is in order. Next: classroom up");
      console.log(
        `${results.length - faulty.length} of ${count(results.length, "student")} can be built. Not yet: ${faulty.map(({ student }) => student.id).join(", ")}. ` +
          "Next: put right what the lines above name and run `classroom check` again. `classroom up` builds the others meanwhile.",
      );
      process.exitCode = 1;
    });
}
