import type { Reporter } from "../machine/reporter.ts";

/** Tells on standard error how work is getting on, so that standard output holds the answer only. */
export const reporterOf = (machine: string): Reporter => ({
  progress: (text) => console.error(`${machine}: ${text}`),
  info: (text) => console.error(`${machine}: ${text}`),
  warn: (text) => console.error(`${machine}: ${text}`),
});

/** Tells only what is to be looked at: for questions that are answered in a moment. */
export const quietReporter: Reporter = { progress: () => {}, info: () => {}, warn: (text) => console.error(text) };
