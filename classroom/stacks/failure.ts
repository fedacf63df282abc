/** Why a student's stack did not come to its end. */
export interface Failure {
  /**
   * `unreachable`: a machine did not answer, or the connection broke: worth another try. `locked`: somebody else works on the stack.
   * `environment`: Pulumi itself cannot work here, whoever the student is. `stopped`: ended on request. `failed`: anything else.
   */
  readonly kind: "unreachable" | "locked" | "environment" | "stopped" | "failed";
  /** What is wrong, in a sentence. */
  readonly problem: string;
  /** What to do, where it is known. */
  readonly next?: string;
  /** Everything that was said. */
  readonly details: string;
}

/** What the engine says besides what the kit says. */
const engineWords = [
  /^(update|destroy|refresh|preview) (failed|canceled)$/,
  /^resource '[^']*' registered twice/,
  /^update canceled/,
];

/** What machine/dial.ts and machine/connection.ts say of a machine that may answer a little later. */
const mayPass = [
  /(does not answer|refuses the connection|cannot be reached|has a name that cannot be resolved|lets nobody log in yet|closed the connection).* \(tried for \d+ s\)/,
  /is out of reach: /,
  /the connection (breaks|broke|was lost|closed)/,
];

/** What the CLI says when it lacks what the operator's environment gives. */
const environmentWords = /PULUMI_CONFIG_PASSPHRASE|incorrect passphrase|PULUMI_ACCESS_TOKEN|pulumi login|no space left/;

/** What several errors of one run come to. */
export function failureOf(messages: readonly string[], fallback: string): Failure {
  const errors = messages.map(withoutWrapping).filter((text) => text !== "" && !engineWords.some((words) => words.test(text)));
  const details = errors.length > 0 ? errors.join("\n") : fallback.trim();
  const first = (errors[0] ?? fallback).split("\n").map((line) => line.trim()).find((line) => line !== "") ?? "pulumi failed and said nothing";
  const next = /^\s*Next: ([^\n]+)$/m.exec(errors[0] ?? fallback)?.[1];
  return {
    kind: environmentWords.test(details) ? "environment" : mayPass.some((words) => words.test(details)) ? "unreachable" : "failed",
    problem: errors.length > 1 ? `${first} (and ${errors.length - 1} more)` : first,
    ...(next !== undefined && { next }),
    details,
  };
}

/** The kit's own words, without what the engine puts around them. */
function withoutWrapping(message: string): string {
  return message
    .replace(/^\d+ errors? occurred:\n/, "")
    .replace(/^\s*\* /, "")
    .replace(/^[\w-]+:dynamic\/kubeadm:\w+ resource '[^']*' has a problem: /, "")
    .trim();
}
