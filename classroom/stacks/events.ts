import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

/** What is remembered of one run of the engine. */
export interface Heard {
  /** Messages of errors, in order. */
  readonly errors: string[];
  /** Warnings of the kit's own resources. */
  readonly warnings: string[];
}

/** Operations that change nothing on a machine. */
const quiet = new Set(["same", "refresh", "read"]);

/**
 * Listens to the engine.
 *
 * @param names prefixes that are left out of what is shown: the stack's and the student's
 * @param onLine gets what is being done now, in a few words: `container-runtime: installing containerd.io`
 */
export function listener(names: readonly string[], onLine: (text: string) => void): { heard: Heard; onEvent(event: EngineEvent): void } {
  const heard: Heard = { errors: [], warnings: [] };
  const placeOf = (urn: string) => {
    const name = urn.split("::").at(-1)!;
    const prefix = names.find((candidate) => name.startsWith(`${candidate}-`));
    return prefix === undefined ? name : name.slice(prefix.length + 1);
  };
  return {
    heard,
    onEvent({ diagnosticEvent, resourcePreEvent }) {
      if (resourcePreEvent) {
        const { urn, op, type } = resourcePreEvent.metadata;
        if (type.startsWith("pulumi-nodejs:dynamic/") && !quiet.has(op)) onLine(placeOf(urn));
      }
      if (!diagnosticEvent) return;
      const { severity, message, urn } = diagnosticEvent;
      const text = message.trim();
      if (severity === "error") heard.errors.push(text);
      else if (severity === "warning" && urn !== undefined) heard.warnings.push(text);
      else if (severity === "info" && urn !== undefined) onLine(`${placeOf(urn)}: ${text.split("\n")[0]}`);
    },
  };
}
