import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { ensureArtefact } from "../cache.ts";

/** The key that signs every repository of the lab; made once per cache. */
export interface SigningKey {
  /** GNUPGHOME. */
  readonly home: string;
  /** Armored public key. */
  readonly armored: string;
}

export async function signingKey(): Promise<SigningKey> {
  const directory = await ensureArtefact({
    name: "signing-key",
    recipe: "rsa3072, no passphrase, no expiry",
    async build(target) {
      const home = join(target, "home");
      mkdirSync(home, { mode: 0o700 });
      const env = { GNUPGHOME: home };
      await execa("gpg", ["--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "pulumi-kubeadm lab mirror", "rsa3072", "sign", "never"], { env });
      await execa("gpg", ["--batch", "--quiet", "--armor", "--output", join(target, "key.asc"), "--export"], { env });
      await execa("gpgconf", ["--kill", "all"], { env });
    },
  });
  return { home: join(directory, "home"), armored: readFileSync(join(directory, "key.asc"), "utf8") };
}

/** Signs a Release file: InRelease and Release.gpg beside it. */
export async function signRelease(key: SigningKey, release: string): Promise<void> {
  const env = { GNUPGHOME: key.home };
  const gpg = (...args: string[]) => execa("gpg", ["--batch", "--yes", "--quiet", "--digest-algo", "SHA256", ...args], { env });
  await gpg("--clearsign", "--output", release.replace(/Release$/, "InRelease"), release);
  await gpg("--armor", "--detach-sign", "--output", `${release}.gpg`, release);
  await execa("gpgconf", ["--kill", "all"], { env });
}
