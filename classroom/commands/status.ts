import type { Command } from "commander";
import { look } from "../look.ts";
import type { Preparation } from "../../kubeadm/settings.ts";
import { preparationOf } from "../class-file.ts";
import { explain, readyText } from "../outcome.ts";
import { statusOf, type StudentStatus } from "../status.ts";
import { tableText } from "../table.ts";
import { contextOf, withClass, type ClassOptions } from "./context.ts";

interface StatusOptions extends ClassOptions {
  readonly json?: boolean;
}

/** `classroom status`: how every student is, from the machines themselves. */
export function addStatus(program: Command): void {
  withClass(program.command("status"))
    .description("look at every student's machines and tell how they are; changes nothing")
    .argument("[student...]", "ids; all when left out")
    .option("--json", "print it as JSON")
    .action(async (ids: string[], options: StatusOptions) => {
      const { klass, journal, chosen } = contextOf(options, ids);
      const prepareTo = preparationOf(klass);
      const looks = await look(klass, chosen);
      const statuses = chosen.map((student) => statusOf(student, looks.filter((seen) => seen.student === student), journal, prepareTo));
      console.log(options.json ? JSON.stringify(statuses, undefined, 2) : statusText(statuses, prepareTo));
      process.exitCode = statuses.every(({ state }) => state === "ready") ? 0 : 1;
    });
}

const stateText = { working: "working", partial: "NOT FINISHED", none: "nothing yet", unreachable: "NOT REACHABLE" } as const;

function statusText(statuses: readonly StudentStatus[], prepareTo: Preparation): string {
  const words = { ...stateText, ready: readyText(prepareTo) };
  const table = tableText(
    ["student", "name", "cluster", "machines"],
    statuses.map(({ student, machines, state }) => [student.id, student.name ?? "", words[state], machines.map(({ machine, host, state: one, byHand }) => `${machine} ${host} ${byHand === undefined ? one : `prepared, and by hand: ${byHand}`}`).join("\n")]),
  );
  const problems = statuses.flatMap(({ student, problem, next }) => (problem === undefined ? [] : [`${student.id}: ${explain({ problem, next })}`]));
  const ready = statuses.filter(({ state }) => state === "ready").length;
  return [table, "", ...problems, ...(problems.length > 0 ? [""] : []), `${ready} of ${statuses.length} ready.`].join("\n");
}
