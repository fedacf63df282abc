import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sudo } from "./machine.ts";

const script = readFileSync(join(import.meta.dirname, "fingerprint.sh"), "utf8");

/**
 * What may differ on a machine that was given back, each with its reason. Anything else is something that the kit left behind.
 */
const excused: [pattern: RegExp, reason: string][] = [];

/** Everything of a machine that a cluster could leave behind, a line each. */
export async function fingerprint(machine: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await sudo(machine, script);
  if (exitCode !== 0) throw new Error(`fingerprint of ${machine}: ${stderr}`);
  return stdout.split("\n").sort();
}

/** The lines that only one of two fingerprints has, with `-` for the first and `+` for the second, less what is excused. */
export function differences(before: string[], after: string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [...before.filter((line) => !is.has(line)).map((line) => `- ${line}`), ...after.filter((line) => !was.has(line)).map((line) => `+ ${line}`)].filter(
    (line) => !excused.some(([pattern]) => pattern.test(line)),
  );
}
