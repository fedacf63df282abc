/**
 * How many of the voters must be alive for etcd to take a write: more than half.
 *
 * @param voters members that vote; learners do not count
 */
export const quorum = (voters: number): number => Math.floor(voters / 2) + 1;

/** How many voters may fail while the rest can still write. */
export const tolerance = (voters: number): number => voters - quorum(voters);

/** Sizes at which a control plane may rest. Even ones are for the way between them only: they tolerate no more than one less. */
export const restingSizes = [1, 3, 5] as const;

/**
 * Says why a control plane must not rest at that many machines.
 *
 * @returns undefined when it may
 */
export function sizeFault(machines: number): string | undefined {
  if (restingSizes.some((size) => size === machines)) return undefined;
  if (machines < 1) return "a cluster needs a control plane: name one machine";
  if (machines > 5)
    return `${machines} control planes are more than etcd is good at: each write waits for ${quorum(machines)} of them; allowed are 1, 3 and 5`;
  return (
    `${machines} control planes need ${quorum(machines)} alive to write and bear the loss of ${tolerance(machines)}, ` +
    `no more than ${machines - 1}, which needs ${quorum(machines - 1)} and bears the loss of ${tolerance(machines - 1)}` +
    `${machines === 2 ? ", and losing either of the two stops the cluster" : ""}: allowed are 1, 3 and 5`
  );
}
