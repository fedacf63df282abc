import type { Preparation } from "../kubeadm/settings.ts";
import { explain } from "./outcome.ts";
import type { Problem } from "./problem.ts";
import { isReady, type StudentStatus } from "./status.ts";
import { words } from "./words.ts";

const { en } = words;

/** What stands beside the rows of one table. */
export interface TableOf {
  /** Ids of all students that rows are printed of. */
  readonly ids: readonly string[];
  /** How far the class wants them. */
  readonly prepareTo: Preparation;
}

/** A row; all of its columns but the last two are of letters that take one place each. */
function row({ ids, prepareTo }: TableOf, id: string, state: string, nodes: string, pods: string, disk: string, certificate: string, name: string, doing = ""): string {
  const stateWidth = Math.max(...[...Object.values(en.states), readyWord(prepareTo)].map(({ length }) => length));
  const idWidth = Math.max("student".length, ...ids.map(({ length }) => length));
  const columns = [id.padEnd(idWidth), state.padEnd(stateWidth), nodes.padEnd(5), pods.padEnd(8), disk.padEnd(9), certificate.padEnd(11), name, doing];
  return columns.join("  ").trimEnd();
}

const readyWord = (prepareTo: Preparation): string => (prepareTo === "cluster" ? en.states.ready : en.prepared(prepareTo));

/** The line above the rows. */
export const headingText = (table: TableOf): string => row(table, "student", "cluster", "nodes", "pods", "disk free", "certificate", "name", "now");

/** The line of one student, which needs no other's. */
export function rowText(status: StudentStatus, table: TableOf): string {
  const { student, state, nodes, nodesReady, failingPods, disk, certificate } = status;
  return row(
    table,
    student.id,
    state === "ready" ? readyWord(table.prepareTo) : en.states[state],
    nodesReady === undefined ? `-/${nodes}` : `${nodesReady}/${nodes}`,
    failingPods === undefined ? "-" : failingPods.count === 0 ? en.podsRun : en.podsFail(failingPods.count),
    disk === undefined ? "-" : `${(disk.availableBytes / 1e9).toFixed(1)} GB`,
    certificate === undefined ? "-" : certificate.days < 0 ? en.ended : en.days(certificate.days),
    student.name ?? "",
    nowText(status),
  );
}

/** A cluster that is not made has no nodes to count: how far its machines are says more. */
function nowText({ stage, doing, machines }: StudentStatus): string {
  const byHand = machines.flatMap(({ byHand: made }) => (made === undefined ? [] : [en.byHand(made)]));
  return [...(stage === undefined || stage === "node" || stage === "bare" ? [] : [`at ${stage}`]), ...(doing === undefined ? [] : [doing]), ...byHand].join("; ");
}

/** A problem as the operator reads it, with addresses and keys. */
export function problemText(problem: Problem, student: string): { readonly problem: string; readonly next: string } {
  if (!("machine" in problem) || !("said" in problem)) return en.sentence(problem, student);
  return { problem: problem.machine === student ? problem.said : `${problem.machine}: ${problem.said}`, next: problem.next };
}

/** All problems of all students, and how many students are ready. */
export function closingText(statuses: readonly StudentStatus[]): string {
  const problems = statuses.flatMap(({ student, problems }) => problems.map((problem) => `${student.id}: ${explain(problemText(problem, student.id))}`));
  return [...problems, ...(problems.length > 0 ? [""] : []), `${statuses.filter(isReady).length} of ${statuses.length} ready.`].join("\n");
}
