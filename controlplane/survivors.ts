import type { Member } from "./member.ts";
import { reportOf, type ObservedMachine } from "./observe.ts";
import type { Work } from "./reconcile.ts";

/**
 * The control planes through which a change to another one is made: those whose apiserver and etcd are in order, wanted ones first.
 *
 * @param except the machine that the change is about; undefined when no known machine is
 */
export function survivors({ machines, observation }: Pick<Work, "machines" | "observation">, except: ObservedMachine | undefined): Member[] {
  const isHealthyVoter = ({ name, wanted }: ObservedMachine) =>
    observation.members.some((member) => member.machine === name && member.wanted === wanted && !member.learner && member.sick === undefined);
  return machines
    .filter((machine) => machine !== except && reportOf(machine, observation)?.ready === true && isHealthyVoter(machine))
    .sort((a, b) => Number(b.wanted) - Number(a.wanted));
}
