import { keptCa, renewCluster, type MadeCluster } from "../controlplane/renew.ts";
import { resetMachine } from "../controlplane/reset.ts";
import { byHandText } from "../machine/by-hand.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Preparation } from "../kubeadm/settings.ts";
import type { Halt } from "./halt.ts";
import type { Look } from "./look.ts";
import { failureOfLooks } from "./outcome.ts";
import type { Outcome, StudentStack } from "./stacks.ts";

/** How far back a student's cluster is asked to go. */
export type Level =
  /** The cluster anew on the machines as they are prepared, with the CA that it has where that is possible. */
  | "cluster"
  /** The same with a new CA. */
  | "new-ca"
  /** The machines as they were before the class, and all anew. */
  | "bare";

/** How it is done. */
export type Way =
  | { readonly kind: "renew"; readonly made: MadeCluster; readonly caCert: string }
  /** `why` the CA cannot stay; undefined when nobody wants it to. */
  | { readonly kind: "new-ca"; readonly why?: string }
  /** No cluster of ours is there: what stands on the machines was made by hand. */
  | { readonly kind: "wipe"; readonly prepareTo: Preparation }
  | { readonly kind: "bare" };

const silent: Reporter = { progress: () => {}, info: () => {}, warn: () => {} };

/**
 * Finds out how a student's cluster can be made anew; changes nothing.
 *
 * @param prepareTo how far the class's machines are prepared
 * @throws MachineError when the control plane cannot be looked at
 */
export async function wayOf(stack: StudentStack, level: Level, prepareTo: Preparation): Promise<Way> {
  if (level === "bare") return { kind: "bare" };
  const { exists, made } = await stack.remembered();
  if (!exists) return { kind: "wipe", prepareTo };
  if (prepareTo !== "cluster") return { kind: "new-ca", why: `the class wants machines that are prepared to ${prepareTo}, and no cluster` };
  if (level === "new-ca") return { kind: "new-ca" };
  if (!made) return { kind: "new-ca", why: "only a finished cluster with one control plane can keep its CA" };
  const caCert = await keptCa(made, silent);
  return caCert === undefined ? { kind: "new-ca", why: "the keys of the cluster's CA are not on its control plane any more" } : { kind: "renew", made, caCert };
}

/** What a reset takes away, and what it leaves, for the operator to read before it is done. */
export interface Losses {
  readonly lost: string;
  readonly kept: string;
  readonly takes: string;
}

const inTheCluster = "everything in the cluster (deployments, services, secrets, users, data in etcd), all containers and their logs";
const onTheMachines = "packages and images on the machines, files in home directories, SSH keys, and how the machines are reached";
const handedOut = "every kubeconfig that was handed out opens nothing any more, and new ones are handed out at the end";

/** The losses of one way. */
export function lossesOf(way: Way): Losses {
  switch (way.kind) {
    case "renew":
      return { lost: inTheCluster, kept: `the cluster's CA: kubeconfigs that were handed out stay valid (other rights that somebody granted in the cluster are lost with it); ${onTheMachines}`, takes: "as long as kubeadm init and the start of the pod network: nothing is downloaded or installed" };
    case "new-ca":
      return { lost: `${inTheCluster}, and the cluster's CA${way.why === undefined ? "" : ` (${way.why})`}: ${handedOut}`, kept: onTheMachines, takes: "a few minutes" };
    case "wipe":
      return {
        lost: "everything that somebody made on the machines with kubeadm by hand: cluster, data, containers and their logs, certificates",
        kept: onTheMachines,
        takes: way.prepareTo === "cluster" ? "as long as making the cluster" : "less than a minute",
      };
    case "bare":
      return {
        lost:
          `${inTheCluster}, the cluster's CA (${handedOut}), the packages, images and settings that were put on the machines, and the student's ` +
          "user with its home directory, where the class has made it",
        kept: "other home directories, SSH keys, and how the machines are reached",
        takes: "as long as the first time",
      };
  }
}

/** What somebody made by hand on these machines, a line each. */
export const madeByHandOn = (looks: readonly Look[]): string[] =>
  looks.flatMap(({ machine, facts }) => (facts?.byHand ? [`${machine}: made by hand: ${byHandText(facts.byHand)}`] : []));

/** Makes one student's cluster anew. @param looks what was seen of the machines */
export async function reset(stack: StudentStack, way: Way, looks: readonly Look[], onLine: (text: string) => void, halt: Halt): Promise<Outcome> {
  // Taking a cluster from a machine that does not answer would only write the machine off.
  const failure = failureOfLooks(looks);
  if (failure) return { ok: false, seconds: 0, failure };
  switch (way.kind) {
    case "renew":
      return stack.onMachines(onLine, halt, (holder, reporterOf) => renewCluster(way.made, way.caCert, { holder, reporterOf, isStopped: () => halt.requested }));
    case "new-ca":
      // The engine takes no worker away from a cluster that goes as a whole.
      return inTurn(() => stack.removeCluster(onLine, halt), () => wipe(stack, looks, onLine, halt), () => stack.up(onLine, halt));
    case "wipe":
      return inTurn(() => wipe(stack, looks, onLine, halt), () => stack.up(onLine, halt));
    case "bare":
      return inTurn(() => stack.destroy(onLine, halt), () => stack.up(onLine, halt));
  }
}

/** kubeadm reset, and all that it leaves behind, on those of the machines that belong to the student's stack. */
async function wipe(stack: StudentStack, looks: readonly Look[], onLine: (text: string) => void, halt: Halt): Promise<Outcome> {
  const ours = looks.filter(({ facts, owner }) => facts?.owner === owner);
  if (ours.length === 0) return { ok: true, seconds: 0, warnings: [] };
  return stack.onMachines(onLine, halt, async (holder, reporterOf) => {
    await Promise.all(ours.map(({ machine, owner, target }) => resetMachine(owner, target, holder, reporterOf(machine))));
  });
}

/** One after the other, until one fails. */
async function inTurn(...works: (() => Promise<Outcome>)[]): Promise<Outcome> {
  let seconds = 0;
  let last: Outcome = { ok: true, seconds, warnings: [] };
  for (const work of works) {
    last = await work();
    seconds += last.seconds;
    if (!last.ok) break;
  }
  return { ...last, seconds };
}
