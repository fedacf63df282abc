import { existsSync } from "node:fs";
import type { Command } from "commander";
import { observe } from "../controlplane/observe.ts";
import { observed } from "../controlplane/reconcile.ts";
import { snapshotOrder, takeSnapshot } from "../controlplane/snapshot.ts";
import { download } from "./copy-file.ts";
import { holderOf } from "./holder.ts";
import { quietReporter, reporterOf } from "./reporter.ts";
import { readCluster, withClusterOptions, type ClusterChoice } from "./stack.ts";

/** `snapshot`: a verified snapshot of etcd, kept on a control plane and, when asked for, here. */
export function addSnapshot(program: Command): void {
  withClusterOptions(program.command("snapshot"))
    .description("take a snapshot of etcd, verify it and keep it on a control plane with its checksum")
    .option("--output <file>", "copy it to this file on this computer too; it holds every Secret of the cluster")
    .action(async ({ output, ...choice }: ClusterChoice & { output?: string }) => {
      const taken = [output, `${output}.sha256`].find((file) => file !== undefined && output !== undefined && existsSync(file));
      if (taken) throw new Error(`${taken} exists and is not overwritten. Next: give another name with --output.`);
      const { cluster, members, leaving } = await readCluster(choice);
      const machines = observed(members, leaving);
      const [member, ...others] = snapshotOrder(machines, await observe(machines, cluster, quietReporter));
      if (!member) throw new Error("No control plane runs an etcd that answers. Next: `npx pulumi-kubeadm status` tells why.");
      const reporter = reporterOf(member.name);
      if (member.sick) reporter.warn(`no member of etcd is healthy; taking it from ${member.name} all the same (${member.sick}${others.length > 0 ? `; others answer too: ${others.map(({ name }) => name).join(", ")}` : ""})`);
      const snapshot = await takeSnapshot(member, cluster.etcd.snapshotDirectory, holderOf("snapshot"), reporter);
      console.log(`${member.name}:${snapshot.path}\n  ${snapshot.bytes} bytes\n  SHA-256 ${snapshot.sha256}`);
      if (output === undefined) return;
      await download(member.target, snapshot, output, reporter);
      console.log(`copied to ${output}, with ${output}.sha256 beside it`);
    });
}
