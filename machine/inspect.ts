import { connect, type CommandResult } from "./connection.ts";
import { Elapsed } from "./elapsed.ts";
import { CommandTimeoutError, ConnectionLostError, MachineError } from "./errors.ts";
import { JobLog } from "./job-log.ts";
import { maskOf } from "./masking.ts";
import { renderEnvironment } from "./render.ts";
import type { Reporter } from "./reporter.ts";
import type { SshTarget } from "./target.ts";

const isProtocol = (line: string) => /^(==>|!!!|>>>) /.test(line);

/**
 * Runs a script's `inspect`, which changes nothing and prints one JSON document.
 *
 * @param script rendered by `renderScript`
 * @param timeoutSeconds default 150: a slow repository alone may take 120
 * @returns the document
 * @throws MachineError with what the script said; its kinds when the machine cannot be reached
 */
export async function inspect(
  target: SshTarget,
  stage: string,
  script: string,
  environment: Record<string, string>,
  reporter: Reporter,
  timeoutSeconds = 150,
): Promise<unknown> {
  return runDirectly({ target, stage, verb: "inspect", script, environment, reporter, timeoutSeconds });
}

/** One verb of a script that needs no job: it changes nothing, or what may be repeated at will. */
export interface DirectRequest {
  readonly target: SshTarget;
  readonly stage: string;
  readonly verb: "inspect" | "apply" | "remove";
  /** Rendered by `renderScript`. */
  readonly script: string;
  /** Parameters; may hold secrets. */
  readonly environment: Record<string, string>;
  readonly reporter: Reporter;
  readonly timeoutSeconds: number;
}

/**
 * Runs a verb over the connection, not as a job.
 *
 * @returns the JSON document that the script printed; an empty one when it printed nothing
 * @throws MachineError with what the script said; its kinds when the machine cannot be reached
 */
export async function runDirectly(request: DirectRequest): Promise<unknown> {
  const { target, stage, verb, script, environment, reporter, timeoutSeconds } = request;
  const elapsed = new Elapsed(reporter);
  const log = new JobLog(verb === "inspect" ? "looking" : stage, elapsed, maskOf(environment));
  const failure = (cause: string, next: string) =>
    new MachineError({ machine: target.name, stage, cause: log.cause ?? cause, next: log.next ?? next, evidence: log.evidence });
  const again = "put right what the lines above name, and run the command again";
  try {
    const { code, stdout, stderr } = await look(target, `set -- ${verb}\n${renderEnvironment(environment)}${script}`, timeoutSeconds, reporter, log);
    if (code !== 0) {
      stderr.split("\n").forEach((line) => log.take(line));
      throw failure(`${verb} ended with exit status ${code}`, again);
    }
    const document = stdout.split("\n").filter((line) => !isProtocol(line)).join("\n");
    if (verb !== "inspect" && document.trim() === "") return {};
    try {
      return JSON.parse(document);
    } catch {
      throw failure(`${verb} printed no JSON document`, again);
    }
  } catch (error) {
    if (!(error instanceof CommandTimeoutError)) throw error;
    throw failure(`${verb} did not end within ${timeoutSeconds} s (${log.doing})`, error.next);
  } finally {
    elapsed.stop();
  }
}

/** It may be repeated at will, so a connection that breaks meanwhile is made once more. */
async function look(target: SshTarget, script: string, timeoutSeconds: number, reporter: Reporter, log: JobLog): Promise<CommandResult> {
  const command = { script, timeoutSeconds, onLine: (line: string) => log.take(line) };
  try {
    return await (await connect(target, reporter)).sudo(command);
  } catch (error) {
    if (!(error instanceof ConnectionLostError)) throw error;
    return (await connect(target, reporter)).sudo(command);
  }
}
