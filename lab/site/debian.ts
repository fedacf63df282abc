import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { debianMirror } from "../machines/debian.ts";

/**
 * Downloads packages of a Debian release with everything that they depend on, through an apt of its own that knows nothing of
 * this computer's packages. apt checks signatures and sums against Debian's archive keyring.
 */
export async function downloadDebian(suite: string, packages: readonly string[], directory: string): Promise<void> {
  const root = join(directory, ".apt");
  for (const folder of ["lists/partial", "cache/archives/partial", "etc/preferences.d", "dpkg"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "sources.list"), `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await debianMirror()} ${suite} main\n`);
  writeFileSync(join(root, "dpkg/status"), "");
  const options = {
    "Dir::Etc": join(root, "etc"),
    "Dir::Etc::SourceList": join(root, "sources.list"),
    "Dir::Etc::SourceParts": "-",
    "Dir::State": root,
    "Dir::State::status": join(root, "dpkg/status"),
    "Dir::Cache": join(root, "cache"),
    "Dir::Cache::archives": directory,
    "APT::Architecture": "amd64",
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
  };
  const apt = (...args: string[]) =>
    execa("apt-get", ["-qq", ...Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]), ...args], { env: { DEBIAN_FRONTEND: "noninteractive" } });
  mkdirSync(join(directory, "partial"), { recursive: true });
  await apt("update");
  await apt("install", "--yes", "--download-only", ...packages);
  await execa("rm", ["-rf", root, join(directory, "partial"), join(directory, "lock")]);
}
