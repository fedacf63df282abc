import type { Command } from "commander";
import { lookAtStatus } from "../controlplane/status.ts";
import { describeStatus, type ClusterStatus } from "./describe-status.ts";
import { quietReporter } from "./reporter.ts";
import { readCluster, withClusterOptions, type ClusterChoice } from "./stack.ts";
import { statusText } from "./status-text.ts";

/** What scripts read: as `systemctl status` and `pg_isready`, one number for each answer. */
const exitCodes = { healthy: 0, unhealthy: 1, unknown: 2 } satisfies Record<ClusterStatus["verdict"], number>;

/** `status`: one screen about a cluster. */
export function addStatus(program: Command): void {
  withClusterOptions(program.command("status"))
    .description("show the control plane, etcd, the nodes, and what change is safe now; exit code 0 healthy, 1 something is wrong, 2 not known")
    .option("--json", "the same as a JSON document")
    .action(async ({ json, ...choice }: ClusterChoice & { json?: boolean }) => {
      process.exitCode = exitCodes.unknown;
      const { cluster, members, leaving, caCertHash, workers } = await readCluster(choice);
      console.error(`looking at ${[...members, ...leaving].map(({ name }) => name).join(", ")}`);
      const facts = await lookAtStatus(cluster, members, leaving, quietReporter);
      const status = describeStatus(cluster, workers, caCertHash, facts, new Date());
      console.log(json ? JSON.stringify(status, undefined, 2) : statusText(status));
      process.exitCode = exitCodes[status.verdict];
    });
}
