import { execa } from "execa";

/**
 * The Debian archive that this host installs from; a closed site's own mirror is found that way.
 *
 * @returns its address
 * @throws Error when apt knows none
 */
export async function debianMirror(): Promise<string> {
  const known = await fromApt();
  if (known) return known;
  // Before its first update apt knows no archive by name.
  // An archive of somebody else that does not answer is no reason to stop.
  await execa("apt-get", ["-qq", "update"], { reject: false });
  const found = await fromApt();
  if (!found) throw new Error("apt on this computer knows no Debian archive: add one to /etc/apt/sources.list, from which the machines can be installed");
  return found;
}

async function fromApt(): Promise<string | undefined> {
  const { stdout } = await execa("apt-get", ["indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"], { reject: false });
  return stdout.split("\n").find((line) => line.startsWith("Debian Debian "))?.split(" ")[2];
}
