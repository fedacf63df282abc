import { execa } from "execa";

/**
 * The Debian archive that this host installs from; a closed site's own mirror is found that way.
 *
 * @returns its address; Debian's public one when the host's apt lists name none (not a Debian, or no `apt update` yet)
 */
export async function debianMirror(): Promise<string> {
  const { stdout } = await execa("apt-get", ["indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"], { reject: false });
  const found = stdout.split("\n").find((line) => line.startsWith("Debian Debian "));
  return found?.split(" ")[2] ?? "http://deb.debian.org/debian";
}
