import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import ssh2 from "ssh2";

/** An SSH key: OpenSSH's private key file, and its line for authorized_keys. */
export interface SshKeyPair {
  /** A secret. */
  readonly private: string;
  readonly public: string;
}

/**
 * The ed25519 key that is kept in a file, made now when there is none. The file and its directory are for this user only.
 *
 * @param comment of the public key: whose it is
 * @throws Error when the file holds no key
 */
export function keyPairAt(path: string, comment: string): SshKeyPair {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    text = newKey(comment);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
  const publicKey = publicKeyOf(text);
  if (publicKey === undefined) throw new Error(`${path} holds no SSH key. Next: remove the file; a new key is made, and \`classroom up\` puts it on the machines.`);
  return { private: text, public: publicKey };
}

export const forgetKeyPair = (path: string): void => rmSync(path, { force: true });

/**
 * The public part of a private key, as a line for authorized_keys.
 *
 * @param passphrase of a key that is encrypted
 * @returns undefined when the text is no private key, or does not open
 */
export function publicKeyOf(privateKey: string, passphrase?: string): string | undefined {
  const key = ssh2.utils.parseKey(privateKey.endsWith("\n") ? privateKey : `${privateKey}\n`, passphrase);
  if (key instanceof Error) return undefined;
  return `${key.type} ${key.getPublicSSH().toString("base64")}${key.comment ? ` ${key.comment}` : ""}`;
}

function newKey(comment: string): string {
  for (;;) {
    const { private: text } = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    // ssh2 writes a key whose first byte is zero a byte too short, and does not read it then.
    if (publicKeyOf(text) !== undefined) return text;
  }
}
