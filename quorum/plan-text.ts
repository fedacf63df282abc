import type { Observation } from "./observation.ts";
import type { Plan, PlannedStep } from "./plan.ts";
import { nameOf, ringOf, wantedMachines } from "./ring.ts";
import { quorum, tolerance } from "./sizes.ts";
import { sickText } from "./texts.ts";

/**
 * The plan for the reader of `pulumi preview`: what is there, each step with its figures, and a refusal with the safe next step.
 *
 * @returns lines; none when there is nothing to do
 */
export function planText({ now, steps, refused, open }: Plan): string[] {
  if (steps.length === 0 && !refused) return [];
  const shown = steps.map(action);
  const width = Math.max(0, ...shown.map(({ length }) => length));
  return [
    headline(now),
    ...steps.map((step, index) => `  ${index + 1}. ${shown[index]!.padEnd(width)}   ${figures(step)}`.trimEnd()),
    ...(open ? ["  what follows is decided when etcd answers: its members are not known yet"] : []),
    ...(refused ? [`  REFUSED: ${refused.reason}`, `  next: ${refused.next}`] : []),
  ];
}

function headline(now: Observation): string {
  const { voters } = ringOf(now);
  const wanted = wantedMachines(now).length;
  if (now.disagreement) return `control plane ? -> ${wanted}: its members are not known`;
  if (now.members.length === 0) {
    const silent = now.machines.some(({ state }) => state === "member");
    return silent ? `control plane ? -> ${wanted}: no etcd answers` : `control plane 0 -> ${wanted}: no etcd member is seen`;
  }
  const size = voters === wanted ? `control plane of ${voters}` : `control plane ${voters} -> ${wanted}`;
  const [first] = now.members.flatMap(({ status }) => status ?? []);
  const leader = now.members.find((member) => member.leader);
  return `${size}: ${[
    first ? `etcd ${first.version}` : "etcd",
    leader ? `${nameOf(leader)} leads` : "no leader",
    sickText(now) ? `sick: ${sickText(now)}` : "all healthy",
  ].join(", ")}`;
}

function action({ step, heir }: PlannedStep): string {
  switch (step.kind) {
    case "init":
      return `make the first control plane on ${step.machine}`;
    case "start":
      return `start ${step.machine}: ${step.reason}`;
    case "join":
      return step.running
        ? `wait for the join that runs on ${step.machine}`
        : `snapshot first, then join ${step.machine}`;
    case "remove":
      return `snapshot first, then ${heir ? `let ${heir} lead and ` : ""}remove ${step.learner ? "the learner " : ""}${step.member}`;
    case "reset":
      return `reset ${step.machine}${step.wanted ? "" : " (left the settings)"}`;
    case "nothing":
    case "refuse":
      return "";
  }
}

/** What the step does to the voters; nothing for one that does not change them. */
function figures({ step, votersBefore, votersAfter, healthyAfter }: PlannedStep): string {
  if (step.kind === "start" || step.kind === "reset") return "";
  if (votersBefore === 0) return `voters 0 -> ${votersAfter}`;
  const change = (of: (voters: number) => number) => `${of(votersBefore)} -> ${of(votersAfter)}`;
  const sick = healthyAfter < votersAfter ? `   healthy ${healthyAfter} of ${votersAfter}` : "";
  return `voters ${change((voters) => voters)}   quorum ${change(quorum)}   tolerance ${change(tolerance)}${sick}${votersAfter === 2 ? "   (tolerance 0 while at 2)" : ""}`;
}
