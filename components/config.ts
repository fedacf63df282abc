import * as pulumi from "@pulumi/pulumi";

/**
 * The stack's configuration of this project as one object, as `kubeadm/settings.ts` validates it.
 * Every key of the project's namespace is taken, so that a key nobody knows is refused and not overlooked.
 */
export function readConfig(): Record<string, unknown> {
  const namespace = `${pulumi.getProject()}:`;
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(namespace))
      .map(([key, text]) => [key.slice(namespace.length), structured(text)]),
  );
}

/** Pulumi hands structured values over as JSON text, and plain ones as they were written: `1.37` must stay text. */
function structured(text: string): unknown {
  return /^[[{]/.test(text) ? JSON.parse(text) : text;
}
