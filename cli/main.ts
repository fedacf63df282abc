#!/usr/bin/env node
import { hostname, userInfo } from "node:os";
import { Command } from "commander";
import { forget as forgetMachines, giveBack } from "../controlplane/give-back.ts";
import { readNotGivenBack } from "../controlplane/not-given-back.ts";
import { closeAllConnections } from "../machine/connection.ts";
import type { Reporter } from "../machine/reporter.ts";

const reporterOf = (machine: string): Reporter => ({
  progress: (text) => console.log(`${machine}: ${text}`),
  info: (text) => console.log(`${machine}: ${text}`),
  warn: (text) => console.error(`${machine}: ${text}`),
});

const program = new Command("pulumi-kubeadm").description("What Pulumi's own commands do not do. Run it in the project's directory.");

program
  .command("give-back")
  .description("undo what is left on machines that a `pulumi destroy` could not reach")
  .argument("[machine...]", "names from not-given-back.yaml; all when left out")
  .option("--forget", "only take them off the list: the machine is gone for good, or was reinstalled")
  .action(async (names: string[], { forget }: { forget?: boolean }) => {
    if (readNotGivenBack().length === 0) return console.log("Every machine was given back: there is no list not-given-back.yaml here.");
    if (forget) {
      if (names.length === 0) throw new Error("--forget needs the names of the machines");
      forgetMachines(names);
      return console.log(`Not on the list any more: ${names.join(", ")}.`);
    }
    const holder = `${userInfo().username}@${hostname()} (process ${process.pid}, pulumi-kubeadm give-back)`;
    const left = await giveBack(names, holder, reporterOf);
    if (left.length === 0) return console.log("Given back.");
    console.error(`Still not given back: ${left.join(", ")}. The reason stands above and in not-given-back.yaml.`);
    process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  closeAllConnections();
}
