import { keyOf, readNotGivenBack, writeNotGivenBack, type NotGivenBack } from "./not-given-back.ts";
import { undoStage } from "./stage.ts";
import type { Reporter } from "../machine/reporter.ts";
import { claim } from "../machine/stages/claim.ts";

/**
 * Gives machines back that could not be reached when their time came: resets the node and replays every ledger on it.
 *
 * @param names which of the machines on the list; all when empty
 * @returns the machines that are still not given back
 */
export async function giveBack(names: readonly string[], holder: string, reporter: (machine: string) => Reporter): Promise<string[]> {
  const chosen = chosenOf(names);
  await Promise.allSettled(
    chosen.map(async (entry) => {
      const { target } = entry;
      try {
        await undoStage(claim, target, {}, holder, reporter(target.name));
        writeNotGivenBack(readNotGivenBack().filter((other) => keyOf(other.target) !== keyOf(target)));
      } catch (error) {
        // It stays on the list, and the others are given back all the same.
        reporter(target.name).warn((error as Error).message);
      }
    }),
  );
  return readNotGivenBack()
    .map(({ target }) => target.name)
    .filter((name) => chosen.some(({ target }) => target.name === name));
}

/** Takes machines off the list without touching them: they are gone for good, or were reinstalled. */
export function forget(names: readonly string[]): void {
  chosenOf(names);
  writeNotGivenBack(readNotGivenBack().filter(({ target }) => !names.includes(target.name)));
}

/** @throws Error that names the machines that are not on the list */
function chosenOf(names: readonly string[]): NotGivenBack[] {
  const chosen = readNotGivenBack().filter(({ target }) => names.length === 0 || names.includes(target.name));
  const unknown = names.filter((name) => !chosen.some(({ target }) => target.name === name));
  if (unknown.length > 0) throw new Error(`not on the list of machines to give back: ${unknown.join(", ")}`);
  return chosen;
}
