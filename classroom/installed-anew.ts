import { readNotGivenBack, takeOffNotGivenBack } from "../controlplane/not-given-back.ts";
import type { SshTarget } from "../machine/target.ts";
import type { Journal } from "./journal.ts";
import type { Look } from "./look.ts";
import type { Student } from "./roster.ts";

/**
 * Machines in whose place another one answers, which the roster names by its host key: that is the word with which a machine that
 * was installed anew is taken. What the class had on the old one is gone with it. One that still bears the class's mark shows only
 * another of its keys.
 *
 * @param looks at all machines of the student, in their order
 */
export function installedAnew({ id, machines }: Student, looks: readonly Look[], journal: Journal): Look[] {
  const before = journal.before(id).filter(({ state }) => state !== "returned");
  const isNamed = (index: number) => machines[index]?.hostKey !== undefined;
  const isAnother = ({ machine, hostKey }: Look) => hostKey !== undefined && before.some((known) => known.machine === machine && known.hostKey !== hostKey);
  return looks.filter((look, index) => isNamed(index) && isAnother(look) && look.facts?.owner !== look.owner);
}

/** A machine that was given back late, or that was installed anew, need not be given back by `pulumi-kubeadm give-back`. */
export function takeOffList(looks: readonly Pick<Look, "target">[]): void {
  const isOneOf = ({ name, host, port }: SshTarget) => looks.some(({ target }) => target.name === name && target.host === host && target.port === port);
  for (const { target } of readNotGivenBack()) if (isOneOf(target)) takeOffNotGivenBack(target);
}
