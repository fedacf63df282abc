import { existsSync } from "node:fs";
import type { Command } from "commander";
import { planRecovery, recover, recoveryText, type Recovery } from "../controlplane/recover.ts";
import { confirmed } from "./confirm.ts";
import { removeFile, upload } from "./copy-file.ts";
import { holderOf } from "./holder.ts";
import { quietReporter, reporterOf } from "./reporter.ts";
import { readCluster, withClusterOptions, type ClusterChoice } from "./stack.ts";

interface Options extends ClusterChoice {
  readonly from: string;
  readonly snapshot?: string;
  readonly yes?: boolean;
}

/** Where a snapshot of this computer is put for the time of the recovery. */
const uploaded = "/var/lib/pulumi-kubeadm/recover-upload.db";

/** `recover`: the way back when etcd has lost its quorum for good. Nothing but this command does it. */
export function addRecover(program: Command): void {
  withClusterOptions(program.command("recover"))
    .description("bring back a cluster whose etcd has lost its quorum for good: one control plane goes on alone, the others join again")
    .requiredOption("--from <machine>", "the control plane that goes on")
    .option("--snapshot <file>", "from this snapshot, on this computer or on that machine, instead of that machine's data")
    .option("--yes", "do not ask, for scripts")
    .action(async ({ from, snapshot, yes, ...choice }: Options) => {
      const state = await readCluster(choice);
      const local = snapshot !== undefined && existsSync(snapshot) ? snapshot : undefined;
      console.error(`looking at ${[...state.members, ...state.leaving].map(({ name }) => name).join(", ")}`);
      const planned = await planRecovery({ ...state, from, snapshot: local === undefined ? snapshot : undefined }, quietReporter);
      console.log(recoveryText(local === undefined ? planned : { ...planned, snapshot: `${local} of this computer` }).join("\n"));
      if (!yes && !(await confirmed(from))) return;

      if (local !== undefined) await upload(planned.from.target, local, uploaded, reporterOf(from));
      const recovery: Recovery = local === undefined ? planned : { ...planned, snapshot: uploaded };
      const kept = await recover(recovery, holderOf("recover"), reporterOf);
      if (local !== undefined) await removeFile(planned.from.target, uploaded, reporterOf(from));
      console.log(ending(recovery, kept));
    });
}

function ending({ from, reset, lost }: Recovery, kept: string): string {
  return [
    `${from.name} is the only member of etcd now, and its apiserver is ready. How it was before is kept in ${kept} there: remove it when it is not needed any more.`,
    ...(lost.length > 0 ? [`${lost.map(({ machine }) => machine.name).join(" and ")} must not come back as they are: reinstall or reset each before, or give its place to another machine in the settings.`] : []),
    `Next: run \`pulumi up\`${reset.length + lost.length > 0 ? ": it joins the others again" : ""}.`,
  ].join("\n");
}
