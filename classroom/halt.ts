/** Whether the operator wants the command to end before its work is done. */
export interface Halt {
  /** Set: no further student is begun. */
  readonly requested: boolean;
  /** Aborted: what runs is told to stop after what it does now. */
  readonly signal: AbortSignal;
}

/** Nobody asks for an end. */
export const noHalt: Halt = { requested: false, signal: new AbortController().signal };

const soft =
  "Stopping: no further student is begun. Those that run stop after what they do now, and can be continued. " +
  "Press Ctrl-C again to stop them in the middle.";
const hard = "Stopping at once. What runs on the machines ends by itself; the next `classroom up` takes it up.";

/**
 * Listens to Ctrl-C and to a request to end. A terminal sends Ctrl-C to the engines too, each of which stops after what it does
 * now; at the second Ctrl-C they stop at once.
 *
 * @param tell shows a line to the operator
 * @returns also what ends the listening
 */
export function listenForHalt(tell: (line: string) => void): Halt & { close(): void } {
  const controller = new AbortController();
  let requested = false;
  const interrupted = () => {
    tell(requested ? hard : soft);
    if (requested) controller.abort();
    requested = true;
  };
  // Sent to this process alone, so the engines are told.
  const ended = () => {
    tell(soft);
    requested = true;
    controller.abort();
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", ended);
  process.on("SIGHUP", ended);
  return {
    get requested() {
      return requested;
    },
    signal: controller.signal,
    close() {
      process.removeListener("SIGINT", interrupted);
      process.removeListener("SIGTERM", ended);
      process.removeListener("SIGHUP", ended);
    },
  };
}
