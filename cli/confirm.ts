import { createInterface } from "node:readline/promises";

/**
 * Asks before something is lost; the answer is a machine's name, which nobody gives by mistake.
 *
 * @throws Error where nobody can be asked
 */
export async function confirmed(machine: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error("Nothing was changed: this asks for a confirmation, and there is no terminal. Next: read what it does above, and add --yes.");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`\nType ${machine} to go on, anything else to leave it: `);
  terminal.close();
  if (answer.trim() === machine) return true;
  console.error("Nothing was changed.");
  process.exitCode = 1;
  return false;
}
