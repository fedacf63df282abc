import { readNotGivenBack, takeOffNotGivenBack, type NotGivenBack } from "./not-given-back.ts";
import { undoStage } from "./stage.ts";
import type { Reporter } from "../machine/reporter.ts";
import { claim } from "../machine/stages/claim.ts";

/**
 * Gives machines back that could not be reached when their time came: resets the node and replays every ledger on it.
 *
 * @param names which of the machines noted as not given back; all when empty
 * @returns the machines that are still not given back
 */
export async function giveBack(names: readonly string[], holder: string, reporter: (machine: string) => Reporter): Promise<string[]> {
  const left = await Promise.all(
    chosenOf(names).map(async ({ target }) => {
      try {
        await undoStage(claim, target, {}, holder, reporter(target.name));
        takeOffNotGivenBack(target);
        return [];
      } catch (error) {
        // It stays noted, and the others are given back all the same.
        reporter(target.name).warn((error as Error).message);
        return [target.name];
      }
    }),
  );
  return left.flat();
}

/** Takes machines off the list without touching them: they are gone for good, or were reinstalled. */
export function forget(names: readonly string[]): void {
  for (const { target } of chosenOf(names)) takeOffNotGivenBack(target);
}

/** @throws Error that names the machines that are not on the list */
function chosenOf(names: readonly string[]): NotGivenBack[] {
  const chosen = readNotGivenBack().filter(({ target }) => names.length === 0 || names.includes(target.name));
  const unknown = names.filter((name) => !chosen.some(({ target }) => target.name === name));
  if (unknown.length > 0) throw new Error(`not on the list of machines to give back: ${unknown.join(", ")}`);
  return chosen;
}
