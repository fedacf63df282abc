import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { publicKey } from "../../kubeadm/fields.ts";
import { expandHome } from "../../machine/home.ts";
import type { ClassSettings } from "../class-file.ts";
import { publicKeyOf } from "./key-pair.ts";

/** Passphrases and keys that the settings name. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Public key of whoever runs the class: of `instructorKeyPath`, else of the private key with which the class's machines are reached.
 *
 * @returns undefined when only the ssh-agent has the key, or its public part cannot be told without a passphrase
 * @throws Error when `instructorKeyPath` leads to no public key
 */
export function operatorKey({ instructorKeyPath, cluster, directory }: ClassSettings, environment: Environment = process.env): string | undefined {
  if (instructorKeyPath !== undefined) return givenKey(resolve(directory, expandHome(instructorKeyPath)), instructorKeyPath);
  const { privateKeyPath, privateKeyEnv, passphraseEnv } = cluster.ssh ?? {};
  const passphrase = passphraseEnv === undefined ? undefined : environment[passphraseEnv];
  const path = privateKeyPath === undefined ? undefined : expandHome(privateKeyPath);
  const beside = path === undefined ? undefined : asPublicKey(textOf(`${path}.pub`));
  const text = path === undefined ? environment[privateKeyEnv ?? ""] : textOf(path);
  return beside ?? (text === undefined ? undefined : asPublicKey(publicKeyOf(text, passphrase)));
}

function givenKey(path: string, asWritten: string): string {
  const text = textOf(path);
  if (text === undefined) throw new Error(`instructorKeyPath: ${asWritten} cannot be read. Next: correct it in the class file; it is the path of your public key, as ~/.ssh/id_ed25519.pub.`);
  const key = asPublicKey(text);
  if (key === undefined) {
    throw new Error(`instructorKeyPath: ${asWritten} holds ${text.includes("PRIVATE KEY") ? "a private key" : "no public key"}. Next: name the .pub file.`);
  }
  return key;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const asPublicKey = (text: string | undefined): string | undefined => publicKey.safeParse(text).data;
