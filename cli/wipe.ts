import type { Command } from "commander";
import { inspectReset, resetMachine } from "../controlplane/reset.ts";
import { byHandText } from "../machine/by-hand.ts";
import { confirmed } from "./confirm.ts";
import { holderOf } from "./holder.ts";
import { quietReporter, reporterOf } from "./reporter.ts";
import { readMachine } from "./stack.ts";

/** `wipe`: takes away what somebody made by hand on a machine that Pulumi has prepared. */
export function addWipe(program: Command): void {
  program
    .command("wipe")
    .description("take away a cluster that somebody made by hand on a machine of the stack; the machine stays prepared")
    .argument("<machine>", "its name in the settings")
    .option("--stack <name>", "the stack; the selected one when left out")
    .option("--yes", "do not ask, for scripts")
    .action(async (name: string, { stack, yes }: { stack?: string; yes?: boolean }) => {
      const { target, owner } = await readMachine(name, stack);
      const { owner: belongsTo, byHand } = await inspectReset(owner, target, quietReporter);
      if (belongsTo !== owner) {
        throw new Error(`${name} belongs to ${belongsTo || "nobody"}, not to ${owner}: nothing was done. Next: give it back there, or take it with \`pulumi up\`.`);
      }
      if (!byHand) {
        return console.log(`On ${name} there is nothing that somebody made by hand. What Pulumi made there goes with \`pulumi destroy\`.`);
      }
      console.log(`On ${name} (${target.host}) there is ${byHandText(byHand)}.\nAll of it goes: its data, its containers and their logs, its certificates, its network. Packages, images and files in home directories stay.`);
      if (!yes && !(await confirmed(name))) return;
      await resetMachine(owner, target, holderOf("wipe"), reporterOf(name));
      console.log(`Wiped. ${name} is prepared as before.`);
    });
}
