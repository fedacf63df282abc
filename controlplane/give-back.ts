import { removeStage } from "./stage.ts";
import { readNotGivenBack, writeNotGivenBack } from "./not-given-back.ts";
import type { Reporter } from "../machine/reporter.ts";
import { claim } from "../machine/stages/claim.ts";

/**
 * Gives machines back that a destroy could not reach: resets the node and replays every ledger on it.
 *
 * @param names which of the machines on the list; all when empty
 * @returns the machines that are still not given back
 */
export async function giveBack(names: readonly string[], holder: string, reporter: (machine: string) => Reporter): Promise<string[]> {
  const chosen = readNotGivenBack().filter(({ target }) => names.length === 0 || names.includes(target.name));
  const unknown = names.filter((name) => !chosen.some(({ target }) => target.name === name));
  if (unknown.length > 0) throw new Error(`not on the list of machines to give back: ${unknown.join(", ")}`);
  await Promise.all(
    chosen.map(async (entry) => {
      writeNotGivenBack(readNotGivenBack().filter(({ target }) => target.name !== entry.target.name || target.host !== entry.target.host));
      // One that is still gone writes itself to the list again.
      await removeStage(claim, entry.target, {}, holder, reporter(entry.target.name));
    }),
  );
  return readNotGivenBack()
    .map(({ target }) => target.name)
    .filter((name) => chosen.some(({ target }) => target.name === name));
}
