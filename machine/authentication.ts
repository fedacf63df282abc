import { readFile } from "node:fs/promises";
import ssh2 from "ssh2";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import type { Endpoint } from "./endpoint.ts";
import { MachineError } from "./errors.ts";
import { fingerprintOf } from "./host-key.ts";
import { expandHome } from "./home.ts";

/** One way to log in. */
export interface Credential {
  readonly method: AnyAuthMethod;
  /** The key in a sentence: `~/.ssh/id_ed25519 (ssh-ed25519 SHA256:…)`. */
  readonly label: string;
}

/**
 * The ways to log in at an endpoint, in the order in which they are tried. Keys are read anew each time, so nothing keeps them.
 *
 * @throws MachineError when a key that the settings name cannot be read, or there is none at all
 */
export async function credentialsOf(endpoint: Endpoint): Promise<Credential[]> {
  const { auth } = endpoint;
  const credentials: Credential[] = [];
  if (auth.privateKeyPath !== undefined) {
    credentials.push(keyFrom(endpoint, auth.privateKeyPath, await readKeyFile(endpoint, auth.privateKeyPath)));
  }
  if (auth.privateKeyEnv !== undefined) {
    const source = `the environment variable ${auth.privateKeyEnv}`;
    credentials.push(keyFrom(endpoint, source, variable(endpoint, auth.privateKeyEnv, "the private key")));
  }
  if (auth.agent) credentials.push(...(await agentKeys(endpoint, credentials.length === 0)));
  if (credentials.length > 0) return credentials;
  throw fault(endpoint, "no private key is given and the ssh-agent is not to be used", "set ssh.privateKeyPath, or ssh.agent to true");
}

async function readKeyFile(endpoint: Endpoint, path: string): Promise<string> {
  try {
    return await readFile(expandHome(path), "utf8");
  } catch (error) {
    const reason = { ENOENT: "it does not exist", EACCES: "permission is denied", EISDIR: "it is a directory" };
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw fault(
      endpoint,
      `the private key ${path} cannot be read: ${reason[code as keyof typeof reason] ?? code}`,
      "correct ssh.privateKeyPath, or make a key with `ssh-keygen -t ed25519` and put its public part on the machines with `ssh-copy-id`",
    );
  }
}

function variable(endpoint: Endpoint, name: string, what: string): string {
  const value = process.env[name];
  if (value) return value;
  throw fault(endpoint, `the environment variable ${name}, which holds ${what}, is not set`, `export ${name} and run the command again`);
}

function keyFrom(endpoint: Endpoint, source: string, text: string): Credential {
  const { passphraseEnv } = endpoint.auth;
  // A key pasted into a variable often lost its last line break, which the parser wants.
  const whole = text.endsWith("\n") ? text : `${text}\n`;
  const bare = ssh2.utils.parseKey(whole);
  const isEncrypted = bare instanceof Error && /encrypted/i.test(bare.message);
  if (isEncrypted && passphraseEnv === undefined) {
    throw fault(
      endpoint,
      `the private key ${source} is encrypted and no passphrase is given`,
      "set ssh.passphraseEnv to the NAME of an environment variable that holds the passphrase, or load the key into an ssh-agent " +
        "and set ssh.agent to true",
    );
  }
  const key = isEncrypted ? ssh2.utils.parseKey(whole, variable(endpoint, passphraseEnv!, `the passphrase of ${source}`)) : bare;
  if (key instanceof Error && isEncrypted) {
    throw fault(endpoint, `the private key ${source} does not open with the passphrase in ${passphraseEnv}`, `correct ${passphraseEnv}`);
  }
  if (key instanceof Error || !key.isPrivateKey()) {
    throw fault(
      endpoint,
      `${source} holds no private key in a format that can be read (OpenSSH, PEM or PuTTY)`,
      "name the private key, not the `.pub` file; `ssh-keygen -p -f FILE` writes a key anew in OpenSSH's format",
    );
  }
  return { method: { type: "publickey", username: endpoint.user, key }, label: labelOf(source, key) };
}

/** @param needed false when there is another key, so that an agent that does not answer is no reason to stop */
async function agentKeys(endpoint: Endpoint, needed: boolean): Promise<Credential[]> {
  const socket = process.env.SSH_AUTH_SOCK;
  const start = "start an agent and load a key: `eval $(ssh-agent) && ssh-add`; or set ssh.privateKeyPath";
  if (!socket) {
    if (!needed) return [];
    throw fault(endpoint, "the ssh-agent is to be used, and SSH_AUTH_SOCK is not set", start);
  }
  const agent = ssh2.createAgent(socket);
  const keys = await new Promise<ParsedKey[] | Error>((resolve) =>
    agent.getIdentities((error, identities) => resolve(error ?? ((identities ?? []) as ParsedKey[]))),
  );
  if (keys instanceof Error || keys.length === 0) {
    if (!needed) return [];
    const cause = keys instanceof Error ? `the ssh-agent at ${socket} does not answer: ${keys.message}` : "the ssh-agent holds no key";
    throw fault(endpoint, cause, start);
  }
  const label = keys.map((key) => labelOf(`${key.comment || "a key"} in the ssh-agent`, key)).join(", ");
  return [{ method: { type: "agent", username: endpoint.user, agent }, label }];
}

function labelOf(source: string, key: ParsedKey): string {
  return `${source} (${key.type} ${fingerprintOf(key.getPublicSSH())})`;
}

function fault({ machine }: Endpoint, cause: string, next: string): MachineError {
  return new MachineError({ machine, stage: "connect", cause, next });
}

/** The machine refused every key. */
export function authenticationRefused(endpoint: Endpoint, credentials: readonly Credential[]): MachineError {
  return fault(
    endpoint,
    `${endpoint.label} refused every key that was tried: ${credentials.map(({ label }) => label).join(", ")}`,
    `put the public part of one into ~${endpoint.user}/.ssh/authorized_keys there ` +
      `(\`ssh-copy-id -p ${endpoint.port} ${endpoint.user}@${endpoint.host}\`), ` +
      "or correct the user or the key in the settings under ssh",
  );
}
