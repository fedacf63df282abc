import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ClassroomProject, during } from "./classroom-project.ts";
import { Site } from "./scripted-machine.ts";

let site: Site;
let project: ClassroomProject;

type Command = ReturnType<ClassroomProject["startInTerminal"]>;

/** A terminal sends its signals to the engines too. */
const fromTerminal = (signal: NodeJS.Signals) => ({ pid }: Command) => void process.kill(-pid!, signal);

/** Waits until a command has printed this. */
const told = (command: Command, text: string) => during(command, vi.waitUntil(() => project.said(command).includes(text), { timeout: 60_000 }));

interface Stop {
  readonly student: string;
  readonly how: string;
  stop(command: Command): void | Promise<void>;
  /** Whether the stage that runs is waited for. */
  readonly waits: boolean;
}

const stops: readonly Stop[] = [
  {
    student: "s01",
    how: "Ctrl-C is pressed twice",
    async stop(command) {
      fromTerminal("SIGINT")(command);
      await told(command, "Press Ctrl-C again to stop them in the middle.");
      fromTerminal("SIGINT")(command);
    },
    waits: false,
  },
  { student: "s02", how: "the terminal is closed", stop: fromTerminal("SIGHUP"), waits: false },
  {
    student: "s03",
    how: "the command alone is asked to end",
    async stop(command) {
      process.kill(command.pid!, "SIGTERM");
      await told(command, "Stopping: no further student is begun.");
    },
    waits: true,
  },
];

beforeAll(async () => {
  site = new Site();
  project = new ClassroomProject(site);
  await Promise.all(stops.map(({ student }, i) => site.machine(student, `10.0.0.1${i + 1}`)));
  project.write(site.machines.map((machine) => [machine.name, machine] as const));
});

// A test that failed while it held a job would let what it started wait for that.
afterEach(() => site.machines.forEach((machine) => machine.releaseAll()));

afterAll(async () => {
  project.close();
  await site.close();
});

describe("up that is stopped in the middle of a stage, and run again, goes on to the end", () => {
  test.each(stops)("when $how", async ({ student, stop, waits }) => {
    const machine = site.machines.find(({ name }) => name === student)!;
    const held = machine.hold("container-runtime apply");
    const stopped = project.startInTerminal(["up", student]);
    const job = await during(stopped, held.begun);
    await stop(stopped);
    if (waits) held.release();
    const { exitCode, all: output } = await stopped;
    expect(exitCode, output).toBe(130);
    expect(output).toMatch(new RegExp(`^${student}: stopped on request\n {2}Next: run .classroom up. to go on`, "m"));
    expect(machine.stages.has("container-runtime")).toBe(waits);

    const { followers } = job;
    const up = project.start(["up", student]);
    if (!waits) {
      await during(up, vi.waitUntil(() => job.followers > followers, { timeout: 60_000 }));
      held.release();
    }
    const again = await up;
    expect(again.exitCode, again.all).toBe(0);
    expect(site.journal.of(student).filter((what) => what === "container-runtime apply")).toHaveLength(1);
    expect([...machine.cluster!.nodes]).toEqual([student]);
  });
});
