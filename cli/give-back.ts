import { Option, type Command } from "commander";
import { forget as forgetMachines, giveBack, postpone } from "../controlplane/give-back.ts";
import { listName, readNotGivenBack } from "../controlplane/not-given-back.ts";
import { holderOf } from "./holder.ts";
import { reporterOf } from "./reporter.ts";
import { readMachine } from "./stack.ts";

/** `give-back`: what a destroy could not do, done when the machines are back. */
export function addGiveBack(program: Command): void {
  program
    .command("give-back")
    .description("undo what is left on machines that a `pulumi destroy` could not reach")
    .argument("[machine...]", `names of machines in ${listName}/; all when left out`)
    .option("--forget", "only take them off the list: the machine is gone for good, or was reinstalled")
    .addOption(new Option("--later", "put them on the list: `pulumi destroy` goes on without a machine that lets nobody in").conflicts("forget"))
    .option("--stack <name>", "with --later: the stack whose machines they are; the selected one when left out")
    .action(async (names: string[], { forget, later, stack }: { forget?: boolean; later?: boolean; stack?: string }) => {
      if (later) {
        if (names.length === 0) throw new Error("--later needs the names of the machines");
        postpone(await Promise.all(names.map(async (name) => (await readMachine(name, stack)).target)));
        return console.log(`Noted in ${listName}/: ${names.join(", ")}. \`pulumi destroy\` goes on without what fails there.`);
      }
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
