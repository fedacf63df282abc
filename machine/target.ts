/** Where credentials are taken from when they are needed: references only, so that a target may lie in Pulumi's state. */
export interface SshAuth {
  /** Private key file; `~` is the home directory of who runs this. */
  privateKeyPath?: string;
  /** NAME of an environment variable that holds the text of the private key. */
  privateKeyEnv?: string;
  /** NAME of an environment variable that holds the passphrase of the private key. */
  passphraseEnv?: string;
  /** Take the keys that the ssh-agent at SSH_AUTH_SOCK holds. */
  agent: boolean;
}

/** Everything that is needed to reach one machine; plain JSON, no secret in it. */
export interface SshTarget {
  /** Name of the machine in messages. */
  name: string;
  /** SSH address: an IP address or a DNS name. */
  host: string;
  port: number;
  user: string;
  /** Host key that the machine must show, `ssh-ed25519 AAAA…`, or its fingerprint, `SHA256:…`. Wins over `hostKeys`. */
  hostKey?: string;
  auth: SshAuth;
  /** What a host key is checked against when `hostKey` is not given: the file, or nothing at the first contact. */
  hostKeys: "known_hosts" | "pin";
  /** OpenSSH's file of known host keys; `~` is the home directory of who runs this. */
  knownHostsPath: string;
  /** Machine through which the connection goes. */
  bastion?: { host: string; port: number; user: string; hostKey?: string; auth: SshAuth };
  /** NAME of an environment variable that holds the sudo password; absent: sudo asks for none, or the user is root. */
  sudoPasswordEnv?: string;
  /** Seconds until a machine that does not answer counts as unreachable. */
  connectTimeoutSeconds: number;
}
