import type { Halt } from "./halt.ts";
import type { Look } from "./look.ts";
import { failureOfLooks } from "./outcome.ts";
import type { Outcome, StudentStack } from "./stacks.ts";

/** How far back a student's cluster goes. */
export type Level =
  /** A new cluster on the machines as they are prepared. */
  | "cluster"
  /** The machines as they were before the class, and all anew. */
  | "bare";

/** What a reset takes away, and what it leaves, for the operator to read before it is done. */
export const losses: Readonly<Record<Level, { readonly lost: string; readonly kept: string; readonly takes: string }>> = {
  cluster: {
    lost:
      "everything in the cluster (deployments, services, secrets, users, data in etcd), all containers and their logs, and the cluster's certificates: " +
      "a kubeconfig that was handed out opens nothing until it is handed out again",
    kept: "packages and images on the machines, files in home directories, SSH keys, and how the machines are reached",
    takes: "about a minute",
  },
  bare: {
    lost: "everything in the cluster, its certificates, and the packages, images and settings that were put on the machines",
    kept: "files in home directories, SSH keys, and how the machines are reached",
    takes: "as long as the first time",
  },
};

/** Makes one student's cluster anew. @param looks what was seen of the machines */
export async function reset(stack: StudentStack, level: Level, looks: readonly Look[], onLine: (text: string) => void, halt: Halt): Promise<Outcome> {
  // Taking a cluster from a machine that does not answer would only write the machine off.
  const failure = failureOfLooks(looks);
  if (failure) return { ok: false, seconds: 0, failure };
  const removed = await (level === "bare" ? stack.destroy(onLine, halt) : stack.removeCluster(onLine, halt));
  if (!removed.ok) return removed;
  const made = await stack.up(onLine, halt);
  return { ...made, seconds: removed.seconds + made.seconds };
}
