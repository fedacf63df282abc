import type { Need, State, StudentStatus } from "../status.ts";
import type { Words } from "../words.ts";
import type { PublicText } from "./public-text.ts";

/** What the page shows of one student: all of it is for everybody's eyes. */
export interface Tile {
  readonly id: string;
  readonly name: string;
  readonly state: State | "looking";
  /** Tells the state apart without colour. */
  readonly symbol: string;
  readonly word: string;
  readonly need: Need;
  /** Larger is more urgent. */
  readonly urgency: number;
  readonly facts: readonly Fact[];
  /** What is being done now, or was made by hand. */
  readonly doing: string;
  readonly problem: string;
  readonly next: string;
  /** When the machines were looked at last, in milliseconds since 1970; 0 when they were not yet. */
  readonly lookedAt: number;
}

/** One figure of a tile. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** It is what is wrong. */
  readonly bad: boolean;
}

const symbols: Readonly<Record<State | "looking", string>> = { ready: "✓", working: "▶", "not-ready": "✗", partial: "✗", none: "○", unreachable: "✗", looking: "·" };

/** How soon somebody is to go there. */
const urgencies: Readonly<Record<State, number>> = { unreachable: 6, "not-ready": 5, partial: 4, none: 2, working: 1, ready: 0 };

/** A student's tile. @param lookedAt as in the tile */
export function tileOf(status: StudentStatus, words: Words, publicText: PublicText, lookedAt: number): Tile {
  const { student, state, need, prepareTo, machines, problems } = status;
  const first = problems[0];
  const byHand = machines.flatMap(({ byHand: made }) => (made === undefined ? [] : [words.byHand(made)]));
  const doing = status.doing ?? byHand[0] ?? "";
  const said = first && words.sentence(first, student.id);
  const looks = need === "look";
  return {
    id: student.id,
    name: student.name ?? "",
    state,
    symbol: looks ? "!" : symbols[state],
    word: state === "ready" && prepareTo !== "cluster" ? words.prepared(prepareTo) : words.states[state],
    need,
    urgency: looks ? 3 : urgencies[state],
    facts: factsOf(status, words),
    doing: publicText(doing),
    problem: said ? publicText(said.problem) : "",
    next: said ? publicText(said.next) : "",
    lookedAt,
  };
}

/** The tile of a student at whom nobody has looked yet. */
export const blankTile = ({ id, name = "" }: { readonly id: string; readonly name?: string }, words: Words): Tile => ({
  id, name, state: "looking", symbol: symbols.looking, word: words.states.looking, need: "nothing", urgency: 1, facts: [], doing: "", problem: "", next: "", lookedAt: 0,
});

function factsOf({ state, stage, nodes, nodesReady, failingPods, disk, certificate, problems }: StudentStatus, words: Words): Fact[] {
  const has = (kind: string) => problems.some((problem) => problem.kind === kind);
  const unknown = "–";
  if (state === "unreachable") return [];
  // Before there is a cluster, how far its machines are is what there is to tell.
  const made = stage === "node";
  return [
    made ? { label: words.nodes, value: `${nodesReady ?? unknown}/${nodes}`, bad: nodesReady !== nodes } : { label: words.stage, value: stage === "bare" ? words.bare : (stage ?? unknown), bad: false },
    ...(made ? [{ label: words.pods, value: failingPods === undefined ? unknown : failingPods.count === 0 ? words.podsRun : words.podsFail(failingPods.count), bad: has("pods") }] : []),
    { label: words.disk, value: disk ? `${(disk.availableBytes / 1e9).toFixed(0)} GB` : unknown, bad: has("disk") },
    ...(certificate ? [{ label: words.certificate, value: certificate.days < 0 ? words.ended : words.days(certificate.days), bad: has("certificate") }] : []),
  ];
}
