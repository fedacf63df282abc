import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parallelStudents, thisComputer } from "../classroom/parallelism.ts";
import { tableText } from "../classroom/table.ts";
import { prepareSite } from "../lab/site.ts";
import { ClassroomProject } from "../test/engine/classroom-project.ts";
import { Site } from "../test/engine/scripted-machine.ts";

// `classroom up` and `classroom down` for classes of 1, 10 and 50 students against simulated machines, on which all work takes no time:
// what is left is the cost on the operator's computer.

/** What is measured of one command. */
interface Figures {
  readonly seconds: number;
  /** At the moment when most was in use: what a page that several share counts as is divided between them. */
  readonly megabytes: number;
  readonly processes: number;
  /** Megabytes by program at that moment. */
  readonly parts: ReadonlyMap<string, number>;
  /** Of all processors, while it ran. */
  readonly processorShare: number;
}

/** What one process is for. */
function partOf(commandLine: string): string {
  if (commandLine.includes("classroom/main.ts")) return "classroom";
  if (commandLine.includes("dynamic-provider")) return "provider";
  if (commandLine.includes("pulumi-language-nodejs")) return "language host";
  if (/\bpulumi (up|destroy|stack|refresh)\b/.test(commandLine) || commandLine.includes("/bin/pulumi")) return "engine";
  if (commandLine.includes("/run")) return "program";
  return "other";
}

/** Every process that stands in that directory: name of its part and bytes in use. */
function processesIn(directory: string): { part: string; bytes: number }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(directory)) return [];
        const kilobytes = Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1]);
        return [{ part: partOf(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")), bytes: kilobytes * 1024 }];
      } catch {
        // It ended in this moment.
        return [];
      }
    });
}

/** Seconds that all processors have worked since the start of this computer, and all that they could have. */
function processorTimes(): { busy: number; all: number } {
  const [user, nice, system, idle, waiting, irq, softirq, steal] = readFileSync("/proc/stat", "utf8").split("\n")[0]!.trim().split(/\s+/).slice(1).map(Number) as number[];
  const busy = user! + nice! + system! + irq! + softirq! + steal!;
  return { busy, all: busy + idle! + waiting! };
}

async function measure(project: ClassroomProject, args: readonly string[]): Promise<Figures> {
  const start = Date.now();
  const before = processorTimes();
  let most: { part: string; bytes: number }[] = [];
  const total = (processes: typeof most) => processes.reduce((sum, { bytes }) => sum + bytes, 0);
  const timer = setInterval(() => {
    const now = processesIn(project.directory);
    if (total(now) > total(most)) most = now;
  }, 1000);
  const { exitCode, output } = await project.run(...args);
  clearInterval(timer);
  if (exitCode !== 0) throw new Error(`classroom ${args.join(" ")}:\n${output}`);
  const after = processorTimes();
  const parts = new Map<string, number>();
  for (const { part, bytes } of most) parts.set(part, (parts.get(part) ?? 0) + bytes / 2 ** 20);
  return {
    seconds: (Date.now() - start) / 1000,
    megabytes: total(most) / 2 ** 20,
    processes: most.length,
    parts,
    processorShare: (after.busy - before.busy) / (after.all - before.all),
  };
}

process.env.PULUMI_TOOLS ??= (await prepareSite()).tools;
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 10, 50];
const { students: limit, reason } = parallelStudents(thisComputer());
console.log(`${availableParallelism()} processors; at most ${limit} students at the same time (${reason}).\n`);

const rows: string[][] = [];
for (const size of sizes) {
  const site = new Site();
  const machines = await Promise.all(Array.from({ length: size }, (_, index) => site.machine(`s${String(index + 1).padStart(2, "0")}`, `10.0.0.${index + 11}`)));
  const project = new ClassroomProject(site);
  try {
    project.write(machines.map((machine) => [machine.name, machine] as const), { connectTimeoutSeconds: 30 });
    for (const args of [["up"], ["up"], ["down", "--yes"]]) {
      const { seconds, megabytes, processes, parts, processorShare } = await measure(project, args);
      const command = rows.some(([students, done]) => students === String(size) && done === args[0]) ? `${args[0]}, again` : args[0]!;
      rows.push([String(size), command, seconds.toFixed(0), megabytes.toFixed(0), String(processes), `${(100 * processorShare).toFixed(0)} %`, [...parts].map(([part, mb]) => `${part} ${mb.toFixed(0)}`).join(", ")]);
      console.log(rows.at(-1)!.join("  "));
    }
  } finally {
    project.close();
    await site.close();
  }
}
console.log(`\n${tableText(["students", "command", "seconds", "MB", "processes", "processors", "MB by program"], rows)}`);
