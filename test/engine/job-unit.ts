import { randomUUID } from "node:crypto";
import type { Terminal } from "./root-shell.ts";
import { readScript } from "./script.ts";

/** A job while it runs. */
export interface RunningJob {
  readonly stage: string;
  readonly verb: string;
  /** The script's parameters. */
  readonly variables: Readonly<Record<string, string>>;
  /** Clients that follow it or followed it. */
  followers: number;
  /** Clients that wait, or waited, for its end to do something else. */
  waiting: number;
  /** The document that it gives back. */
  result: object;
  /** One line of its output. */
  say(line: string): void;
}

/** Does a job's work and gives its exit status. */
export type Work = (job: RunningJob) => Promise<number>;

class Job implements RunningJob {
  readonly id: string;
  readonly run: string;
  readonly stage: string;
  readonly verb: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly #holder: string[];
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  readonly ended: Promise<number>;
  followers = 0;
  waiting = 0;
  result: object = {};
  active = true;

  constructor(variables: Readonly<Record<string, string>>, work: Work) {
    this.id = variables.JOB_ID!;
    this.run = variables.JOB_MARK!;
    this.stage = variables.JOB_STAGE!;
    this.verb = variables.JOB_VERB!;
    this.variables = readScript(variables.JOB_PARAMETERS!).variables;
    this.#holder = [this.stage, this.verb, variables.JOB_SINCE!, variables.JOB_HOLDER!];
    this.ended = work(this).finally(() => (this.active = false));
  }

  say(line: string): void {
    this.#lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }

  /** Who is at work, a line each: stage, verb, since when, for whom. */
  get holder(): readonly string[] {
    return this.#holder;
  }

  /** Prints the output from a line on, until the job has ended, and how it ended. */
  async follow(mark: string, from: number, terminal: Terminal): Promise<void> {
    this.followers += 1;
    this.#lines.slice(from).forEach(terminal.print);
    this.#listeners.add(terminal.print);
    const status = await this.ended;
    this.#listeners.delete(terminal.print);
    terminal.print(`${mark} exit ${status} ${this.#lines.length}`);
    terminal.print(JSON.stringify(this.result));
  }
}

/** A machine's one job, as scripts/job.sh starts it with systemd, takes it up and follows it. */
export class JobUnit {
  readonly #boot = randomUUID();
  readonly #work: Work;
  #job: Job | undefined;

  constructor(work: Work) {
    this.#work = work;
  }

  /** The job that runs now. */
  get running(): RunningJob | undefined {
    return this.#job?.active ? this.#job : undefined;
  }

  /** Answers what job.sh would, which is asked for by its parameters. */
  async answer(variables: Readonly<Record<string, string>>, terminal: Terminal): Promise<void> {
    const mark = variables.JOB_MARK!;
    const say = (words: string) => terminal.print(`${mark} ${words}`);
    const job = this.#job;
    switch (variables.JOB_ACTION) {
      case "start": {
        if (!job?.active) {
          const started = (this.#job = new Job(variables, this.#work));
          say(`started ${started.run} ${this.#boot}`);
          return started.follow(mark, 0, terminal);
        }
        if (job.id === variables.JOB_ID) {
          say(`adopted ${job.run} ${this.#boot}`);
          return job.follow(mark, 0, terminal);
        }
        say("busy");
        return job.holder.forEach(terminal.print);
      }
      case "follow":
        if (variables.JOB_BOOT !== this.#boot) return say("rebooted");
        if (!job || job.run !== variables.JOB_RUN) return say("gone");
        say(`following ${job.run} ${this.#boot}`);
        return job.follow(mark, Number(variables.JOB_LINES), terminal);
      case "wait":
        if (job) job.waiting += 1;
        await job?.ended;
        return;
      default:
        throw new Error(`job.sh knows no action ${variables.JOB_ACTION}`);
    }
  }
}
