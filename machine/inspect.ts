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
 * @param timeoutSeconds default 120
 * @returns the document
 * @throws MachineError with what the script said; its kinds when the machine cannot be reached
 */
export async function inspect(
  target: SshTarget,
  stage: string,
  script: string,
  environment: Record<string, string>,
  reporter: Reporter,
  timeoutSeconds = 120,
): Promise<unknown> {
  const elapsed = new Elapsed(reporter);
  const log = new JobLog("looking", elapsed, maskOf(environment));
  const failure = (cause: string, next: string) =>
    new MachineError({ machine: target.name, stage, cause: log.cause ?? cause, next: log.next ?? next, evidence: log.evidence });
  const again = "put right what the lines above name, and run the command again";
  try {
    const { code, stdout, stderr } = await look(target, `set -- inspect\n${renderEnvironment(environment)}${script}`, timeoutSeconds, reporter, log);
    const failed = (cause: string) => {
      stderr.split("\n").forEach((line) => log.take(line));
      return failure(cause, again);
    };
    if (code !== 0) throw failed(`inspect ended with exit status ${code}`);
    const document = stdout.split("\n").filter((line) => !isProtocol(line)).join("\n");
    try {
      return JSON.parse(document);
    } catch {
      throw failed("inspect printed no JSON document");
    }
  } catch (error) {
    if (!(error instanceof CommandTimeoutError)) throw error;
    throw failure(`inspect did not end within ${timeoutSeconds} s (${log.doing})`, error.next);
  } finally {
    elapsed.stop();
  }
}

/** Looking may be repeated at will, so a connection that breaks meanwhile is made once more. */
async function look(target: SshTarget, script: string, timeoutSeconds: number, reporter: Reporter, log: JobLog): Promise<CommandResult> {
  const command = { script, timeoutSeconds, onLine: (line: string) => log.take(line) };
  try {
    return await (await connect(target, reporter)).sudo(command);
  } catch (error) {
    if (!(error instanceof ConnectionLostError)) throw error;
    return (await connect(target, reporter)).sudo(command);
  }
}
