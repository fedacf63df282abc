import type { Member } from "./member.ts";
import type { Work } from "./reconcile.ts";

/**
 * The control planes through which a change to another one is made: those whose apiserver and etcd are in order, wanted ones first.
 *
 * @param except the machine that the change is about
 */
export function survivors({ machines, observation }: Pick<Work, "machines" | "observation">, except: string | undefined): Member[] {
  const healthy = new Set(observation.members.filter(({ sick, learner }) => !sick && !learner).map(({ machine }) => machine));
  return machines
    .filter(({ name, wanted }) => {
      const report = observation.machines.find((candidate) => candidate.name === name && candidate.wanted === wanted);
      return name !== except && report?.ready === true && healthy.has(name);
    })
    .sort((a, b) => Number(b.wanted) - Number(a.wanted));
}
