import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ConcurrentUpdateError, LocalWorkspace, Stack, type EngineEvent, type OutputMap } from "@pulumi/pulumi/automation/index.js";
import type { ClassSettings } from "./class-file.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Halt } from "./halt.ts";
import { Handouts } from "./handout/store.ts";
import { holderOf } from "./holder.ts";
import type { Entry, Journal } from "./journal.ts";
import { settingsWithLogins } from "./logins.ts";
import { projectDirectory, projectName, stackName } from "./project.ts";
import type { Student } from "./roster.ts";
import { inRosterWords } from "./roster-words.ts";
import { pulumiCli } from "./stacks/cli.ts";
import { listener, type Heard } from "./stacks/events.ts";
import { failureOf, type Failure } from "./stacks/failure.ts";
import { areStale, locksIn } from "./stacks/lock.ts";
import { writeStackSettings } from "./stacks/settings-file.ts";
import { clusterIn, type RememberedCluster } from "./stacks/remembered.ts";
import { resourcesIn } from "./stacks/state.ts";

export type { Failure } from "./stacks/failure.ts";

/** How a run of the engine ended. */
export type Outcome =
  | { readonly ok: true; readonly seconds: number; /** Warnings of the kit, as of a machine that is not given back. */ readonly warnings: readonly string[] }
  | { readonly ok: false; readonly seconds: number; readonly failure: Failure };

/** What a student's stack gives. */
export interface StackOutputs {
  /** Admin kubeconfig, a secret. */
  readonly kubeconfig?: string;
  /** `name:port` of the API as the nodes know it. */
  readonly endpoint?: string;
  /** Patch version. */
  readonly kubernetesVersion?: string;
}

/** One student's cluster as a Pulumi stack of its own, which the plain CLI can handle as well. */
export interface StudentStack {
  readonly student: Student;
  /** `<class>-<student>`. */
  readonly name: string;
  /** Whether the backend knows it. */
  exists(): boolean;
  /**
   * Makes the cluster, or goes on with making it.
   *
   * @param onLine gets what is being done now
   * @param mend looks at the machines first, so that what somebody changed there by hand is put right
   */
  up(onLine: OnLine, halt: Halt, mend?: boolean): Promise<Outcome>;
  /** Takes the cluster from its machines and leaves what prepared them: the next `up` makes a new one on it. */
  removeCluster(onLine: OnLine, halt: Halt): Promise<Outcome>;
  /** Works on the machines without the engine, which has its memory as it is. @param job is told who works, and what tells how it goes on */
  onMachines(onLine: OnLine, halt: Halt, job: (holder: string, reporterOf: (machine: string) => Reporter) => Promise<void>): Promise<Outcome>;
  /** What the engine remembers of the cluster. */
  remembered(): Promise<RememberedCluster>;
  /** Gives the machines back, and forgets the stack when nothing is left of it. */
  destroy(onLine: OnLine, halt: Halt): Promise<Outcome>;
  outputs(): Promise<StackOutputs>;
}

/** The stacks of one class. */
export class ClassStacks {
  readonly #klass: ClassSettings;
  readonly #madeFrom: string;
  readonly #workspace: LocalWorkspace;
  readonly #existing: Set<string>;
  readonly #selected: string | undefined;

  private constructor(klass: ClassSettings, madeFrom: string, workspace: LocalWorkspace, existing: Set<string>, selected: string | undefined) {
    this.#klass = klass;
    this.#madeFrom = madeFrom;
    this.#workspace = workspace;
    this.#existing = existing;
    this.#selected = selected;
  }

  /**
   * Finds out which stacks there are, in the backend that the operator's environment names.
   *
   * @param madeFrom the class file, named in the stacks' files
   * @throws Error when there is no Pulumi CLI, or it is not logged in
   */
  static async open(klass: ClassSettings, madeFrom: string): Promise<ClassStacks> {
    const workspace = await LocalWorkspace.create({ workDir: projectDirectory, pulumiCommand: await pulumiCli() });
    let stacks;
    try {
      stacks = await workspace.listStacks();
    } catch (error) {
      throw new Error(
        `Pulumi cannot list its stacks: ${failureOf([], saidBy(error)).problem}\n` +
          "Next: log in to a backend (`npx pulumi login --local` keeps the state on this computer), or set PULUMI_BACKEND_URL.",
      );
    }
    return new ClassStacks(klass, madeFrom, workspace, new Set(stacks.map((stack) => stack.name)), stacks.find(({ current }) => current)?.name);
  }

  /** @param journal where the runs are written down */
  stackOf(student: Student, journal: Journal): StudentStack {
    const name = stackName(this.#klass, student);
    const run = (command: string, onLine: OnLine, halt: Halt, work: (stack: Stack, engine: Engine) => Promise<void>) =>
      this.#run({ name, student, journal, command, onLine, halt }, work);
    return {
      student,
      name,
      exists: () => this.#existing.has(name),
      up: (onLine, halt, mend = false) =>
        run("up", onLine, halt, async (stack, engine) => {
          writeStackSettings(projectDirectory, projectName, name, settingsWithLogins(this.#klass, student, new Handouts(this.#klass)), this.#madeFrom);
          await engine.unlocked(async (killed) => {
            // What was done when the engine was killed is looked at on the machines: its own memory may be wrong.
            if (killed || mend) await engine.settle();
            await stack.up(engine.options);
          });
        }),
      removeCluster: (onLine, halt) =>
        run("reset", onLine, halt, async (stack, engine) => {
          const target = resourcesIn((await stack.exportStack()).deployment).flatMap(({ kind, urn }) => (kind === "ControlPlane" ? [urn] : []));
          if (target.length === 0) return;
          await engine.unlocked(async (killed) => {
            if (killed) await engine.settle();
            await stack.destroy({ ...engine.options, target, targetDependents: true });
          });
        }),
      onMachines: (onLine, halt, job) =>
        this.#journaled({ name, student, journal, command: "reset", onLine, halt }, (tell, log) => {
          const heard: Heard = { errors: [], warnings: [] };
          const reporterOf = (machine: string): Reporter => {
            const place = machine.startsWith(`${student.id}-`) ? `${machine.slice(student.id.length + 1)}: ` : "";
            const progress = (text: string) => {
              tell(`${place}${text}`);
              log(`${machine}: ${text}\n`);
            };
            return { progress, info: progress, warn: (text) => void heard.warnings.push(text) };
          };
          return { heard, work: () => unlessAborted(halt.signal, job(holderOf("reset"), reporterOf)) };
        }),
      remembered: async () => (this.#existing.has(name) ? clusterIn((await this.#workspace.exportStack(name)).deployment) : { exists: false }),
      destroy: async (onLine, halt) => {
        if (!this.#existing.has(name)) return { ok: true, seconds: 0, warnings: [] };
        return run("down", onLine, halt, async (stack, engine) => {
          await engine.unlocked(() => stack.destroy(engine.options));
          await this.#workspace.removeStack(name);
          this.#existing.delete(name);
        });
      },
      outputs: async () => (this.#existing.has(name) ? outputsOf(await (await this.#open(name)).outputs()) : {}),
    };
  }

  async #open(name: string): Promise<Stack> {
    if (this.#existing.has(name)) return Stack.select(name, this.#workspace);
    const stack = await Stack.create(name, this.#workspace);
    this.#existing.add(name);
    return stack;
  }

  /** Runs the engine on one stack. */
  #run(run: Run, work: (stack: Stack, engine: Engine) => Promise<void>): Promise<Outcome> {
    const { name, student, halt } = run;
    return this.#journaled(run, (tell, log) => {
      const { heard, onEvent } = listener([name, student.id], tell);
      return {
        heard,
        work: async (killed) => {
          const stack = await this.#open(name);
          const options = { color: "never", onEvent, onOutput: log, signal: halt.signal } as const;
          await work(stack, new Engine(stack, options, killed, heard, tell));
        },
      };
    });
  }

  /**
   * Does work for one student, alone, and writes down its beginning, what it does and its end; whatever goes wrong is told as an outcome.
   *
   * @param begin is told where to tell what is being done and where to log; its work is told whether the last one was killed
   */
  async #journaled({ name, student, journal, command, onLine, halt }: Run, begin: (tell: OnLine, log: OnLine) => { heard: Heard; work(killed: boolean): Promise<void> }): Promise<Outcome> {
    const start = Date.now();
    const other = journal.runningElsewhere(student.id);
    if (other) return { ok: false, seconds: 0, failure: busy(other) };
    const killed = journal.wasKilled(student.id);
    const writing = journal.begin(student.id, command);
    const tell: OnLine = (text) => {
      writing.moves(text);
      onLine(text);
    };
    const { heard, work } = begin(tell, (text) => writing.log(text));
    let outcome: Outcome;
    try {
      await work(killed);
      outcome = { ok: true, seconds: (Date.now() - start) / 1000, warnings: heard.warnings };
    } catch (error) {
      outcome = { ok: false, seconds: (Date.now() - start) / 1000, failure: failureIn(error, heard.errors, halt, name, student) };
    }
    writing.end(outcome);
    return outcome;
  }

  /** Puts the operator's selected stack back: working on a stack selects it, and a plain `pulumi destroy` must not meet a student's. */
  async close(): Promise<void> {
    const args = this.#selected === undefined ? ["stack", "unselect"] : ["stack", "select", this.#selected];
    await promisify(execFile)(this.#workspace.pulumiCommand.command, [...args, "--non-interactive"], { cwd: projectDirectory }).catch(() => {});
  }
}

/** What runs on the machines goes on there; who waits for it does not. */
async function unlessAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new Error("cancelled in the middle"));
  signal.addEventListener("abort", abort);
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

type OnLine = (text: string) => void;

/** What one run is about. */
interface Run {
  readonly name: string;
  readonly student: Student;
  readonly journal: Journal;
  readonly command: string;
  readonly onLine: OnLine;
  readonly halt: Halt;
}

/** The options that up, destroy and refresh share. */
interface EngineOptions {
  readonly color: "never";
  readonly onEvent: (event: EngineEvent) => void;
  readonly onOutput: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The engine on one stack, with what a killed run may have left of it. */
class Engine {
  readonly options: EngineOptions;
  readonly #stack: Stack;
  readonly #killed: boolean;
  readonly #heard: Heard;
  readonly #onLine: OnLine;

  constructor(stack: Stack, options: EngineOptions, killed: boolean, heard: Heard, onLine: OnLine) {
    this.#stack = stack;
    this.options = options;
    this.#killed = killed;
    this.#heard = heard;
    this.#onLine = onLine;
  }

  /**
   * Does the operation, without the lock that a killed run of this computer left.
   *
   * @param operation is told whether a run was killed before
   */
  async unlocked(operation: (killed: boolean) => Promise<unknown>): Promise<void> {
    try {
      await operation(this.#killed);
    } catch (error) {
      const locks = error instanceof ConcurrentUpdateError ? locksIn(error.message) : [];
      if (!areStale(locks)) throw error;
      this.#onLine(`taking away the lock of a pulumi that was killed (process ${locks.map(({ pid }) => pid).join(", ")}, of ${locks[0]!.since})`);
      await this.#stack.cancel();
      this.#heard.errors.length = 0;
      await operation(true);
    }
  }

  /** Looks at the machines, and forgets steps that were begun and never reported back. */
  async settle(): Promise<void> {
    this.#onLine("looking at what is there");
    await this.#stack.refresh({ ...this.options, clearPendingCreates: true });
    this.#heard.errors.length = 0;
  }
}

function outputsOf(outputs: OutputMap): StackOutputs {
  const text = (name: string) => (typeof outputs[name]?.value === "string" ? { [name]: outputs[name].value } : {});
  return { ...text("kubeconfig"), ...text("endpoint"), ...text("kubernetesVersion") };
}

function busy({ command, pid, began }: Entry): Failure {
  const problem = `another \`classroom ${command}\` works on it (process ${pid}, since ${began})`;
  return { kind: "locked", problem, next: "wait until it has ended", details: problem };
}

function failureIn(error: unknown, errors: readonly string[], halt: Halt, name: string, student: Student): Failure {
  const said = saidBy(error);
  if (error instanceof ConcurrentUpdateError) {
    const holders = locksIn(error.message).map(({ user, host, pid, since }) => `${user}@${host}, process ${pid}, since ${since}`);
    const problem = `somebody else works on the stack ${name}${holders.length > 0 ? ` (${holders.join("; ")})` : ""}`;
    return { kind: "locked", problem, next: `wait for that; if nobody does, run \`npx pulumi cancel --stack ${name}\``, details: said };
  }
  const failure = failureOf(errors.map((message) => inRosterWords(message, student)), said);
  return halt.requested && failure.kind === "failed" && /\bcancell?ed\b|killed|SIGINT|SIGTERM/.test(failure.details)
    ? { kind: "stopped", problem: "stopped on request", next: "run `classroom up` to go on", details: failure.details }
    : failure;
}

/** What the CLI said, without how it was called. */
function saidBy(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const errors = message.split("\n").flatMap((line) => /^\s*(?:stderr: )?error: (.*)$/.exec(line)?.[1] ?? []);
  return errors.length > 0 ? [...new Set(errors)].join("\n") : message;
}
