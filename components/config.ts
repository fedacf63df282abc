import * as pulumi from "@pulumi/pulumi";

/**
 * The stack's configuration of this project as one object, as `kubeadm/settings.ts` validates it.
 * Every key of the project's namespace is taken, so that a key nobody knows is refused and not overlooked.
 *
 * @throws pulumi.RunError for an encrypted value: settings stand in the state as they are, and none of them is a secret
 */
export function readConfig(): Record<string, unknown> {
  const namespace = `${pulumi.getProject()}:`;
  // Where the engine tells the program which values were decrypted for it.
  const encrypted = (JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[]).filter((key) => key.startsWith(namespace));
  if (encrypted.length > 0) {
    const keys = encrypted.map((key) => key.slice(namespace.length)).toSorted().join(", ");
    throw new pulumi.RunError(
      `${keys}: a setting stands readable in the state, so none may be encrypted, not in a part of it either; nothing was touched.\n` +
        `Next: write it without \`secure:\` in Pulumi.${pulumi.getStack()}.yaml. What is secret goes by environment variables, whose NAMES ` +
        "are settings (privateKeyEnv, passphraseEnv, sudoPasswordEnv).",
    );
  }
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
