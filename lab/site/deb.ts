import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";

/** What a Debian package is made of. */
export interface Deb {
  readonly name: string;
  /** Debian version with its revision. */
  readonly version: string;
  readonly description: string;
  readonly depends?: readonly string[];
  readonly conflicts?: readonly string[];
  readonly replaces?: readonly string[];
  readonly provides?: readonly string[];
  /** Programs by the path that they get: copied from the path given. */
  readonly programs?: Record<string, string>;
  /** Text files by the path that they get. */
  readonly texts?: Record<string, string>;
  /** Which of the texts are configuration files. */
  readonly conffiles?: readonly string[];
  /** Maintainer scripts by their names: postinst, prerm, postrm. */
  readonly scripts?: Record<string, string>;
}

/** Builds NAME_VERSION_amd64.deb in the directory. */
export async function buildDeb(deb: Deb, directory: string): Promise<void> {
  const tree = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-deb-"));
  try {
    const place = (path: string) => {
      const target = join(tree, path);
      mkdirSync(dirname(target), { recursive: true });
      return target;
    };
    for (const [path, from] of Object.entries(deb.programs ?? {})) {
      copyFileSync(from, place(path));
      chmodSync(join(tree, path), 0o755);
    }
    for (const [path, text] of Object.entries(deb.texts ?? {})) writeFileSync(place(path), text, { mode: 0o644 });
    const fields = [
      ["Package", deb.name],
      ["Version", deb.version],
      ["Architecture", "amd64"],
      ["Maintainer", "pulumi-kubeadm lab <lab@example.com>"],
      ["Depends", deb.depends?.join(", ")],
      ["Conflicts", deb.conflicts?.join(", ")],
      ["Replaces", deb.replaces?.join(", ")],
      ["Provides", deb.provides?.join(", ")],
      ["Section", "admin"],
      ["Priority", "optional"],
      ["Description", deb.description],
    ].filter(([, value]) => value);
    writeFileSync(place("DEBIAN/control"), `${fields.map(([key, value]) => `${key}: ${value}`).join("\n")}\n`);
    if (deb.conffiles) writeFileSync(join(tree, "DEBIAN/conffiles"), `${deb.conffiles.join("\n")}\n`);
    for (const [name, text] of Object.entries(deb.scripts ?? {})) writeFileSync(join(tree, "DEBIAN", name), text, { mode: 0o755 });
    chmodSync(tree, 0o755);
    // Fast to unpack on machines whose system calls are slow, and the lab's disk is local.
    await execa("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "--build", tree, join(directory, `${deb.name}_${deb.version}_amd64.deb`)]);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
