import { MachineError, UnreachableError } from "../machine/errors.ts";
import { runDirectly } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";

/** Longer than the longest of these scripts waits for anything: a drain with its deadline. */
const timeoutSeconds = 420;

/** In front of each script: a machine that is a control plane no more, or not yet, is not asked. */
const noControlPlane = "runs no control plane";
const onlyThere = `[[ -s /etc/kubernetes/admin.conf ]] || { echo "!!! it ${noControlPlane}" >&2; exit 1; }\n`;

/**
 * Runs one verb of a script on a control plane: a question, or a change to the cluster's objects that may be repeated at will, so
 * that it needs no job of its own. Any control plane will do: the first that answers is taken.
 *
 * @param controlPlanes in the order in which they are asked
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
  const script = `${onlyThere}${renderScript(file)}`;
  const stage = file.replace(/\.sh$/, "");
  let passedOver: MachineError | undefined;
  for (const { target } of controlPlanes) {
    try {
      return await runDirectly({ target, stage, verb, script, environment, reporter, timeoutSeconds });
    } catch (error) {
      const elsewhere = error instanceof UnreachableError || (error instanceof MachineError && error.cause === `it ${noControlPlane}`);
      if (!elsewhere) throw error;
      passedOver = error;
    }
  }
  throw passedOver!;
}
