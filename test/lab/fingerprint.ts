import { compare } from "../../machine/fingerprint/differences.ts";
import { ofTheSystem } from "../../machine/fingerprint/excuses.ts";
import { fingerprintScript, parseFingerprint, type Fingerprint } from "../../machine/fingerprint.ts";
import { sudo } from "./machine.ts";

/** Everything of a machine that a cluster could leave behind, as the product notes it. */
export async function fingerprint(machine: string): Promise<Fingerprint> {
  const { exitCode, stdout, stderr } = await sudo(machine, `set -- inspect\n${fingerprintScript()}`);
  if (exitCode !== 0) throw new Error(`fingerprint of ${machine}: ${stderr}`);
  return parseFingerprint(JSON.parse(stdout));
}

/**
 * What differs, with `+` for what is new, `-` for what is gone and `~` for what is other than before. Nothing but the kit has been at
 * work, and both were taken after a start: so less is excused than `classroom down` has to excuse, and anything else is something that
 * the kit left behind.
 */
export function differences(before: Fingerprint, after: Fingerprint): string[] {
  return compare(before, after, ofTheSystem).differences.map(
    ({ section, key, before: was, after: is }) => `${was === undefined ? "+" : is === undefined ? "-" : "~"} ${section} ${key}: ${was ?? "-"} -> ${is ?? "-"}`,
  );
}
