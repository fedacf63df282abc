import { en } from "./words/en.ts";
import { ko } from "./words/ko.ts";
import type { Problem } from "./problem.ts";
import type { State } from "./status.ts";

/** A problem in a sentence, and what to do about it. Neither names an address, a user or a key. */
export interface Sentence {
  readonly problem: string;
  readonly next: string;
}

/** What the board says, in one language. `{}` stands for a number or a time that is put in. */
export interface Words {
  /** As in the `lang` of a page. */
  readonly language: "en" | "ko";
  readonly states: Readonly<Record<State | "looking", string>>;
  /** In place of `ready` where the class wants no clusters; `bare`, `runtime` or `packages`. */
  readonly prepared: (to: string) => string;
  /** What somebody made by hand, in English. */
  readonly byHand: (made: string) => string;
  /** Parts of a tile. */
  readonly nodes: string;
  readonly pods: string;
  /** What is free on it. */
  readonly disk: string;
  /** What is left of its time. */
  readonly certificate: string;
  readonly stage: string;
  /** All pods run. */
  readonly podsRun: string;
  readonly podsFail: (count: number) => string;
  readonly days: (days: number) => string;
  readonly ended: string;
  readonly bare: string;
  /** Controls and signs of the page. */
  readonly title: string;
  readonly all: string;
  readonly onlyNeeds: string;
  readonly inOrder: string;
  readonly byNeed: string;
  readonly nobodyNeeds: string;
  readonly secondsAgo: string;
  readonly minutesAgo: string;
  readonly notYet: string;
  readonly lost: string;
  readonly noScript: string;
  /** @param student id, for the commands that are named */
  sentence(problem: Problem, student: string): Sentence;
}

/** The words of each language that a class may have. */
export const words: Readonly<Record<Words["language"], Words>> = { en, ko };
