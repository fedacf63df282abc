import { connect } from "../machine/connection.ts";
import { MachineError, UnreachableError } from "../machine/errors.ts";
import { renderEnvironment, renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";

/** Longer than the longest of these scripts waits for anything: a drain with its deadline. */
const timeoutSeconds = 420;

/**
 * Runs one verb of a script on a control plane: a question, or a change to the cluster's objects that may be repeated at will, so
 * that it needs no job of its own. Any reachable control plane will do: the first that answers is taken.
 *
 * @returns the JSON document that the script printed last, or an empty one
 * @throws MachineError with what the script said; UnreachableError when no control plane answers
 */
export async function onControlPlane(
  controlPlanes: readonly Member[],
  file: string,
  verb: "inspect" | "apply" | "remove",
  reporter: Reporter,
  environment: Record<string, string>,
): Promise<unknown> {
  const script = `set -- ${verb}\n${renderEnvironment(environment)}\n${renderScript(file)}`;
  let unreachable: UnreachableError | undefined;
  for (const { name, target } of controlPlanes) {
    try {
      const connection = await connect(target, reporter);
      const { code, stdout, stderr } = await connection.sudo({ script, timeoutSeconds });
      if (code === 0) return documentIn(stdout);
      throw new MachineError({
        machine: name,
        stage: file.replace(/\.sh$/, ""),
        cause: (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n"),
        next: "put right what it names, and run `pulumi up` again",
      });
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      unreachable = error;
    }
  }
  throw unreachable!;
}

function documentIn(stdout: string): unknown {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  return line.startsWith("{") ? JSON.parse(line) : {};
}
