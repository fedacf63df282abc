import { createHash, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "./connection.ts";
import { Elapsed } from "./elapsed.ts";
import { CommandTimeoutError, ConnectionLostError, MachineError, PassingError, UnreachableError } from "./errors.ts";
import { JobLog } from "./job-log.ts";
import { maskOf } from "./masking.ts";
import { readScript, renderEnvironment } from "./render.ts";
import type { Reporter } from "./reporter.ts";
import type { SshTarget } from "./target.ts";

/** One verb of a script, to be run on a machine as its job. */
export interface JobRequest {
  readonly target: SshTarget;
  readonly stage: string;
  readonly verb: "apply" | "remove";
  /** Rendered by `renderScript`. */
  readonly script: string;
  /** Parameters; may hold secrets. */
  readonly environment: Record<string, string>;
  /** Seconds that the script may take, from its own start. */
  readonly deadlineSeconds: number;
  readonly reporter: Reporter;
  /** Who asks for it, shown to others who wait: `user@host pid 123, stack dev`. */
  readonly holder: string;
}

/** The run that this client follows. */
interface Followed {
  readonly run: string;
  readonly boot: string;
  readonly log: JobLog;
  /** When it started or was taken up, ms. */
  readonly since: number;
}

/** What the machine says when it begins to tell of a run. */
interface Started {
  readonly run: string;
  readonly boot: string;
  readonly adopted: boolean;
}

/** What came of one exchange with the machine. */
type Outcome =
  | { readonly kind: "ended"; readonly status: string; readonly result: string; readonly log: JobLog }
  | { readonly kind: "busy"; readonly holder: string }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "rebooted" | "gone" | "broken" };

/** Beyond the deadline: what systemd needs to end the unit, and the machine to tell of it. */
const graceSeconds = 40;
/** Longest single wait for another job; then it is asked again who is at work. */
const waitSeconds = 3600;
/** Between two attempts to follow, when the one before broke at once. */
const breakPauseMs = 1000;

/** A machine that drops every connection at once is given up. */
const mostBreaks = 5;

const goOn = "run `pulumi up` again: it goes on from what is there";

/**
 * Runs a script as the machine's one job: a systemd unit, so that neither a dropped connection nor a killed client ends it half-way.
 * The same job that runs already is taken up; another one is waited for; a broken connection is made anew and the job followed further.
 *
 * @returns the result document that the script wrote, `{}` if none
 * @throws MachineError with cause, evidence and next step; PassingError when the script ended with 75 (EX_TEMPFAIL); UnreachableError when the machine cannot be reached, though the job goes on
 */
export async function runJob(request: JobRequest): Promise<unknown> {
  const elapsed = new Elapsed(request.reporter);
  try {
    return await new Job(request, elapsed).run();
  } finally {
    elapsed.stop();
  }
}

/** Waits until the machine's job has ended, whatever it is; who asks again then sees what came of it. */
export async function waitForJob(target: SshTarget, reporter: Reporter): Promise<void> {
  const script = `${renderEnvironment({ JOB_MARK: "", JOB_ACTION: "wait" })}${readScript("job.sh")}`;
  try {
    await (await connect(target, reporter)).sudo({ script, timeoutSeconds: waitSeconds });
  } catch (error) {
    // Asking anew tells who is at work now.
    if (!(error instanceof CommandTimeoutError || error instanceof ConnectionLostError)) throw error;
  }
}

class Job {
  readonly #request: JobRequest;
  readonly #elapsed: Elapsed;
  readonly #id: string;
  #followed: Followed | undefined;
  /** The machine was asked to start it: from then on it may run, whether an answer came or not. */
  #asked = false;
  /** Connections that broke one after the other before the machine said anything. */
  #breaks = 0;

  constructor(request: JobRequest, elapsed: Elapsed) {
    this.#request = request;
    this.#elapsed = elapsed;
    const { stage, verb, script, environment } = request;
    this.#id = createHash("sha256").update(JSON.stringify([stage, verb, script, environment])).digest("hex");
  }

  async run(): Promise<unknown> {
    const { target, reporter } = this.#request;
    for (;;) {
      const startedAt = Date.now();
      const outcome = await this.#exchange();
      switch (outcome.kind) {
        case "ended":
          return this.#resultOf(outcome);
        case "refused":
          throw this.#failure(`the job could not be started: ${outcome.reason}`, `put right what it says on ${target.name}, and ${goOn}`);
        case "busy":
          await this.#waitFor(outcome.holder);
          break;
        case "rebooted":
          throw this.#failure(`the machine restarted during: ${this.#doing}`, goOn);
        case "gone":
          // Ended while nobody looked, and another job came after it. Doing it twice equals doing it once.
          this.#followed = undefined;
          break;
        case "broken":
          // From here on the new login tells how it is getting on.
          this.#elapsed.stop();
          reporter.progress(`the connection to ${target.name} broke; making it anew`);
          if (Date.now() - startedAt < breakPauseMs) await pause(breakPauseMs);
      }
    }
  }

  get #doing(): string {
    return this.#followed?.log.doing ?? "its start";
  }

  /** Starts the job, or follows it further. */
  async #exchange(): Promise<Outcome> {
    const { deadlineSeconds } = this.#request;
    const spent = this.#followed ? (Date.now() - this.#followed.since) / 1000 : 0;
    // Also a job that cannot be asked any more is given the moment that it takes to read how it ended.
    const timeoutSeconds = Math.max(graceSeconds, deadlineSeconds + graceSeconds - spent);
    const mark = randomBytes(16).toString("hex");
    const reader = new Reader(mark, this.#followed?.log ?? this.#newLog());
    try {
      const connection = await this.#connect();
      this.#asked = true;
      const onLine = (line: string) => {
        const begun = reader.started !== undefined;
        reader.take(line);
        if (!begun && reader.started) this.#begin(reader.started, reader.log);
      };
      const { code, stderr } = await connection.sudo({ script: this.#script(mark), timeoutSeconds, onLine });
      return reader.outcome ?? { kind: "refused", reason: `exit status ${code}: ${stderr.trim()}` };
    } catch (error) {
      if (error instanceof CommandTimeoutError) throw this.#overdue();
      if (!(error instanceof ConnectionLostError)) throw error;
      if (spent > deadlineSeconds + graceSeconds) throw this.#overdue();
      if (++this.#breaks > mostBreaks) throw error;
      return { kind: "broken" };
    }
  }

  #newLog(): JobLog {
    const { stage, environment } = this.#request;
    return new JobLog(stage, this.#elapsed, maskOf(environment));
  }

  #begin({ run, boot, adopted }: Started, log: JobLog): void {
    this.#breaks = 0;
    if (this.#followed) return this.#elapsed.say(log.doing);
    this.#followed = { run, boot, log, since: Date.now() };
    if (adopted) this.#elapsed.say(`taking up ${this.#request.stage}, which runs already`);
  }

  #script(mark: string): string {
    const { stage, verb, script, environment, deadlineSeconds, holder } = this.#request;
    const parameters: Record<string, string> = this.#followed
      ? { JOB_ACTION: "follow", JOB_RUN: this.#followed.run, JOB_BOOT: this.#followed.boot, JOB_LINES: String(this.#followed.log.lines) }
      : {
          JOB_ACTION: "start",
          JOB_ID: this.#id,
          JOB_STAGE: stage,
          JOB_VERB: verb,
          JOB_SINCE: new Date().toISOString(),
          JOB_HOLDER: holder.replaceAll("\n", " "),
          JOB_SCRIPT: script,
          JOB_PARAMETERS: renderEnvironment(environment),
          JOB_RUNNER: readScript("run-job.sh"),
          JOB_DEADLINE: String(deadlineSeconds),
        };
    return renderEnvironment({ JOB_MARK: mark, ...parameters }) + readScript("job.sh");
  }

  /** Connects; when that is not possible any more, the job goes on all the same. */
  async #connect() {
    const { target, stage, reporter } = this.#request;
    try {
      return await connect(target, reporter);
    } catch (error) {
      if (!(error instanceof UnreachableError) || !this.#asked) throw error;
      throw new UnreachableError({
        machine: target.name,
        stage,
        cause: `the connection broke during: ${this.#doing}. ${error.cause}. The job goes on there without this computer`,
        evidence: this.#followed?.log.evidence,
        next: `${error.next.replace(/; then run the command again$/, "")}; then run \`pulumi up\`: it follows the job to its end`,
      });
    }
  }

  async #waitFor(holder: string): Promise<void> {
    const { target, reporter } = this.#request;
    this.#elapsed.say(`waiting for ${holder}`);
    await waitForJob(target, reporter);
  }

  #resultOf({ status, result, log }: Extract<Outcome, { kind: "ended" }>): unknown {
    const look = `look at the log on ${this.#request.target.name}, put right what it names, and ${goOn}`;
    switch (status) {
      case "0":
        try {
          return result.trim() === "" ? {} : JSON.parse(result);
        } catch {
          throw this.#failure("it ended well, and its result is no JSON document", look);
        }
      case "timeout":
        throw this.#overdue();
      case "oom-kill":
        throw this.#failure(`the machine's memory ran out during: ${log.doing}`, `give it more memory or end what takes it, and ${goOn}`);
      case "75":
        throw this.#failure(log.cause ?? `it could not go on for now during: ${log.doing}`, log.next ?? look, PassingError);
      default: {
        const how = /^\d+$/.test(status) ? `it ended with exit status ${status}` : `it was ended from outside (${status})`;
        throw this.#failure(log.cause ?? `${how} during: ${log.doing}`, log.next ?? look);
      }
    }
  }

  #overdue(): MachineError {
    const { deadlineSeconds } = this.#request;
    const log = this.#followed?.log;
    return this.#failure(
      `it did not end within ${deadlineSeconds} s; the last that it did: ${this.#doing}`,
      log?.next ?? `look at what it waited for, and ${goOn}`,
    );
  }

  #failure(cause: string, next: string, Kind: typeof MachineError | typeof PassingError = MachineError): MachineError {
    const { target, stage } = this.#request;
    return new Kind({
      machine: target.name,
      stage,
      cause,
      next,
      evidence: this.#followed?.log.evidence,
      logPath: this.#followed && `/var/log/pulumi-kubeadm/${stage}.log`,
    });
  }
}

/** Reads what scripts/job.sh prints: its own lines, which start with the mark, and the job's output between them. */
class Reader {
  readonly #mark: string;
  readonly log: JobLog;
  started: Started | undefined;
  #end: { word: string; rest: string[] } | undefined;
  readonly #tail: string[] = [];

  constructor(mark: string, log: JobLog) {
    this.#mark = mark;
    this.log = log;
  }

  take(line: string): void {
    if (this.#end) {
      this.#tail.push(line);
      return;
    }
    // The output's last line need not have ended.
    const at = line.indexOf(`${this.#mark} `);
    const text = at < 0 ? line : line.slice(0, at);
    if (this.started && (at < 0 || text !== "")) this.log.take(text);
    if (at < 0) return;
    const [word = "", ...rest] = line.slice(at + this.#mark.length + 1).split(" ");
    if (["started", "adopted", "following"].includes(word)) {
      this.started = { run: rest[0]!, boot: rest[1]!, adopted: word === "adopted" };
    } else this.#end = { word, rest };
  }

  /** Undefined when the machine ended the exchange without a last word. */
  get outcome(): Outcome | undefined {
    const { log } = this;
    if (!this.#end) return undefined;
    const { word, rest } = this.#end;
    switch (word) {
      case "exit":
        // Lines that were written in the last moment are read by following once more.
        if (Number(rest[1]) > log.lines) return { kind: "broken" };
        return { kind: "ended", status: rest[0]!, result: this.#tail.join("\n"), log };
      case "busy": {
        const [stage, verb, since, holder] = this.#tail;
        return { kind: "busy", holder: `${stage} (${verb}) of ${holder}, since ${since}` };
      }
      case "refused":
        return { kind: "refused", reason: this.#tail.join("\n") };
      case "rebooted":
        return { kind: "rebooted" };
      default:
        return { kind: "gone" };
    }
  }
}
