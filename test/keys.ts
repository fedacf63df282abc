import ssh2 from "ssh2";

/** Kinds of SSH keys that a machine can have. */
export type KeyKind = "ed25519" | "ecdsa" | "rsa";

/** A private key in OpenSSH's format and its public line. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** Makes a key pair; a passphrase encrypts the private part. */
export function generateKey(kind: KeyKind = "ed25519", passphrase?: string): KeyPair {
  const encryption = passphrase === undefined ? {} : { passphrase, cipher: "aes256-ctr", rounds: 1 };
  const options = { ...(kind === "rsa" ? { bits: 2048 } : kind === "ecdsa" ? { bits: 256 } : {}), ...encryption };
  for (;;) {
    const key = ssh2.utils.generateKeyPairSync(kind as "ed25519", options as never);
    // ssh2 loses a leading zero byte of an ed25519 key that it makes itself: one key in 500 is broken.
    if (!(ssh2.utils.parseKey(key.private, passphrase) instanceof Error)) return key;
  }
}
