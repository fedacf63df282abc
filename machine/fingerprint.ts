import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { MachineError } from "./errors.ts";
import { inspect } from "./inspect.ts";
import { renderScript } from "./render.ts";
import type { Reporter } from "./reporter.ts";
import type { SshTarget } from "./target.ts";

/** What a machine is like, as scripts/fingerprint.sh wrote it down: lines of text, compressed, base64. */
export type Fingerprint = string;

/** Things of a machine by section and key, as `package\tjq`, with what is to be compared of each. */
export type Things = ReadonlyMap<string, string>;

/** A loaded machine with many files may take minutes; most take seconds. */
const timeoutSeconds = 600;

const documentSchema = z.object({ gzip: z.base64() });

/** The script, to be run with the verb `inspect`. */
export const fingerprintScript = (): string => renderScript("fingerprint.sh");

/**
 * Reads what the script printed.
 *
 * @throws Error when it is no fingerprint, or an empty one
 */
export function parseFingerprint(document: unknown): Fingerprint {
  const { gzip } = documentSchema.parse(document);
  if (thingsOf(gzip).size === 0) throw new Error("the fingerprint is empty");
  return gzip;
}

/** @throws Error when it is damaged */
export function thingsOf(fingerprint: Fingerprint): Things {
  const text = gunzipSync(Buffer.from(fingerprint, "base64")).toString("utf8");
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const [section, key, ...value] = line.split("\t");
      return key === undefined ? [] : [[`${section}\t${key}`, value.join("\t")]];
    }),
  );
}

/**
 * Notes what a machine is like: packages, files of the system, kernel settings, units, accounts, mounts, network, packet filter,
 * ports. Changes nothing, and keeps no contents of files.
 *
 * @throws MachineError with what the script said; its kinds when the machine cannot be reached
 */
export async function takeFingerprint(target: SshTarget, reporter: Reporter): Promise<Fingerprint> {
  const document = await inspect(target, "fingerprint", fingerprintScript(), {}, reporter, timeoutSeconds);
  try {
    return parseFingerprint(document);
  } catch (error) {
    const cause = `what it printed is no fingerprint: ${(error as Error).message}`;
    throw new MachineError({ machine: target.name, stage: "fingerprint", cause, next: "see that bash, gzip and coreutils are in order there, and run the command again" });
  }
}
