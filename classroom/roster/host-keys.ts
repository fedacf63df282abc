import { hostKey as hostKeyField } from "../../kubeadm/fields.ts";

/** Stands for a machine of the line that needs no host key. */
const none = "-";

/**
 * The host keys that the words of a line name, in the order of its machines: `SHA256:…`, or type and key as `ssh-keyscan` prints them.
 *
 * @returns a key each, undefined for a machine that needs none, and what is wrong with the others in a sentence
 */
export function hostKeysOf(words: readonly string[]): { readonly keys: readonly (string | undefined)[]; readonly faults: readonly string[] } {
  const keys: (string | undefined)[] = [];
  const faults: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    // The type of a key and the key itself are two words.
    const key = /^(ssh|ecdsa|sk)-/.test(word) && words[at + 1] !== undefined ? `${word} ${words[++at]}` : word;
    keys.push(key === none ? undefined : key);
    if (key !== none && !hostKeyField.safeParse(key).success) {
      faults.push(`${key} is no host key: it must be a fingerprint, as SHA256:…, or a public host key, as ssh-ed25519 AAAA…; write ${none} for a machine that needs none`);
    }
  }
  return { keys, faults };
}
