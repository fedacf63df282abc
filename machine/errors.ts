/** What a MachineError is made of. */
export interface MachineFault {
  /** Name of the machine. */
  readonly machine: string;
  /** Stage, or what was tried: `connect`, `sudo`. */
  readonly stage: string;
  /** What went wrong; one sentence or several lines. */
  readonly cause: string;
  /** What the reader does now. */
  readonly next: string;
  /** The last output lines before the failure; no secret in them. */
  readonly evidence?: string;
  /** Full log on the machine. */
  readonly logPath?: string;
}

/** Work on a machine failed. The message names the machine, the stage, the cause, the evidence, the log and the next step. */
export class MachineError extends Error implements MachineFault {
  override readonly name: string = "MachineError";
  readonly machine: string;
  readonly stage: string;
  override readonly cause: string;
  readonly next: string;
  readonly evidence: string | undefined;
  readonly logPath: string | undefined;

  constructor({ machine, stage, cause, next, evidence, logPath }: MachineFault) {
    super(
      [
        `${machine}: ${stage}: ${cause}`,
        ...(evidence ? [evidence] : []),
        ...(logPath ? [`Log on ${machine}: ${logPath}`] : []),
        `Next: ${next}`,
      ].join("\n"),
    );
    this.machine = machine;
    this.stage = stage;
    this.cause = cause;
    this.next = next;
    this.evidence = evidence;
    this.logPath = logPath;
  }
}

/** Work on a machine failed for a cause that may have passed a moment later: worth another try. */
export class PassingError extends MachineError {
  override readonly name = "PassingError";
}

/** The machine could not be reached, or not any more: name not found, connection refused, no answer. */
export class UnreachableError extends MachineError {
  override readonly name: string = "UnreachableError";
}

/** The connection broke while a command ran. What the command did on the machine is not known. */
export class ConnectionLostError extends UnreachableError {
  override readonly name = "ConnectionLostError";
}

/** The machine shows a host key that is not trusted: unknown, revoked, or another one than before. */
export class HostKeyError extends MachineError {
  override readonly name = "HostKeyError";
}

/** A command did not end in its time and was ended. */
export class CommandTimeoutError extends MachineError {
  override readonly name = "CommandTimeoutError";
}
