/** Why a student's stack did not come to its end. */
export interface Failure {
  /**
   * `unreachable`: a machine, or what it installs from, did not answer, or was busy: worth another try. `locked`: somebody else works on the stack.
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

/** What is said of what may be well a little later. */
const mayPass = [
  // machine/dial.ts and machine/connection.ts of a machine.
  /(does not answer|refuses the connection|cannot be reached|has a name that cannot be resolved|lets nobody log in yet|closed the connection).* \(tried for \d+ s\)/,
  /is out of reach: /,
  /the connection (breaks|broke|was lost|closed)/,
  // A machine that has just started often brings itself up to date.
  /\[PackageLock\]|apt's lock is still held by /,
  // Preflight and scripts/lib/apt.sh of a mirror that a whole class asks at once.
  /\[(Repository|Registry)\]|a package repository cannot be reached/,
  // containerd of a registry: https://github.com/containerd/containerd/blob/v2.0.0/core/remotes/docker/resolver.go
  /cannot be pulled: .*(timeout|deadline exceeded|connection (reset|refused)|\bEOF\b|too many requests|\b(429|50[0234])\b)/i,
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
