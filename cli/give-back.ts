import type { Command } from "commander";
import { forget as forgetMachines, giveBack } from "../controlplane/give-back.ts";
import { listName, readNotGivenBack } from "../controlplane/not-given-back.ts";
import { holderOf } from "./holder.ts";
import { reporterOf } from "./reporter.ts";

/** `give-back`: what a destroy could not do, done when the machines are back. */
export function addGiveBack(program: Command): void {
  program
    .command("give-back")
    .description("undo what is left on machines that a `pulumi destroy` could not reach")
    .argument("[machine...]", `names of machines in ${listName}/; all when left out`)
    .option("--forget", "only take them off the list: the machine is gone for good, or was reinstalled")
    .action(async (names: string[], { forget }: { forget?: boolean }) => {
      if (readNotGivenBack().length === 0) return console.log("Every machine was given back: none is noted as left.");
      if (forget) {
        if (names.length === 0) throw new Error("--forget needs the names of the machines");
        forgetMachines(names);
        return console.log(`Not on the list any more: ${names.join(", ")}.`);
      }
      const left = await giveBack(names, holderOf("give-back"), reporterOf);
      if (left.length === 0) return console.log("Given back.");
      console.error(`Still not given back: ${left.join(", ")}. The reason stands above.`);
      process.exitCode = 1;
    });
}
