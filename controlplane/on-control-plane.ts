import { UnreachableError } from "../machine/errors.ts";
import { runDirectly } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";

/** Longer than the longest of these scripts waits for anything: a drain with its deadline. */
const timeoutSeconds = 420;

/**
 * Runs one verb of a script on a control plane: a question, or a change to the cluster's objects that may be repeated at will, so
 * that it needs no job of its own. Any reachable control plane will do: the first that answers is taken.
 *
 * @returns the JSON document that the script printed, or an empty one
 * @throws MachineError with what the script said; UnreachableError when no control plane answers
 */
export async function onControlPlane(
  controlPlanes: readonly Member[],
  file: string,
  verb: "inspect" | "apply" | "remove",
  reporter: Reporter,
  environment: Record<string, string>,
): Promise<unknown> {
  const script = renderScript(file);
  const stage = file.replace(/\.sh$/, "");
  let unreachable: UnreachableError | undefined;
  for (const { target } of controlPlanes) {
    try {
      return await runDirectly({ target, stage, verb, script, environment, reporter, timeoutSeconds });
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      unreachable = error;
    }
  }
  throw unreachable!;
}
