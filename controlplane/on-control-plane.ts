import { MachineError, UnreachableError } from "../machine/errors.ts";
import { runDirectly } from "../machine/inspect.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import type { Member } from "./member.ts";

/** Longer than the longest of these scripts waits for anything: a drain with its deadline. */
const timeoutSeconds = 420;

/** In front of each script: a machine that is a control plane no more, or not yet, is not asked. */
const noControlPlane = "runs no control plane";
const onlyThere = `[[ -s /etc/kubernetes/admin.conf ]] || { echo "!!! it ${noControlPlane}" >&2; exit 1; }\n`;

/** Control planes that did not answer in this run: they are asked last, since each costs the time that is waited for an answer. */
const silent = new Set<string>();
const keyOf = ({ host, port, hostKey }: SshTarget): string => `${host}:${port} ${hostKey}`;

/**
 * Runs one verb of a script on a control plane: a question, or a change to the cluster's objects that may be repeated at will, so
 * that it needs no job of its own. Any control plane will do: the first that answers is taken.
 *
 * @param controlPlanes in the order in which they are asked, but for those that did not answer before
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
  const targets = controlPlanes.map(({ target }) => target);
  const isSilent = (target: SshTarget) => silent.has(keyOf(target));
  for (const target of [...targets.filter((one) => !isSilent(one)), ...targets.filter(isSilent)]) {
    try {
      const document = await runDirectly({ target, stage, verb, script, environment, reporter, timeoutSeconds });
      silent.delete(keyOf(target));
      return document;
    } catch (error) {
      if (error instanceof UnreachableError) silent.add(keyOf(target));
      const elsewhere = error instanceof UnreachableError || (error instanceof MachineError && error.cause === `it ${noControlPlane}`);
      if (!elsewhere) throw error;
      passedOver = error;
    }
  }
  throw passedOver ?? new Error(`${stage}: there is no control plane that could be asked`);
}
