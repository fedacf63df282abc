import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import { cacheDirectory } from "../cache.ts";
import { users } from "../machines.ts";
import { debianMirror } from "./debian.ts";

/** The image that all machines' disks are copies of, and the User Mode Linux that boots them. */
export interface BaseImage {
  readonly directory: string;
  /** Raw ext4 image, read-only for everybody. */
  readonly image: string;
  /** Tree that holds /usr/bin/linux.uml and its C library. */
  readonly uml: string;
}

/** Debian release of the machines. */
const suite = "trixie";
/** Size that the machines see; the file is sparse. */
const diskSize = "12G";
/** What a small cloud VM has beside Debian's minimal system; nothing of Kubernetes. */
const packages = [
  "systemd-sysv", "systemd-resolved", "libpam-systemd", "dbus", "udev", "kmod", "openssh-server", "sudo", "procps",
  "iproute2", "iputils-ping", "iptables", "netbase", "ca-certificates", "curl", "gpg", "e2fsprogs",
];
/** linux.uml needs only a C library; base-files has the links /lib64 and the like. */
const umlPackages = ["user-mode-linux", "libc6", "base-files"];

const customize = join(import.meta.dirname, "customize.sh");
const overlay = join(import.meta.dirname, "overlay");

/** Where the base image lies or will lie: a new place when anything that makes it changes. */
export function baseImage(): BaseImage {
  const hash = createHash("sha256").update(JSON.stringify([suite, diskSize, packages, umlPackages, users]));
  for (const file of [customize, ...filesUnder(overlay)]) {
    hash.update(relative(import.meta.dirname, file)).update(readFileSync(file));
  }
  const directory = join(cacheDirectory(), "base", hash.digest("hex").slice(0, 16));
  return { directory, image: join(directory, "base.img"), uml: join(directory, "uml") };
}

/** Builds the base image unless it is there: about two minutes, most of it unpacking packages. */
export async function ensureBaseImage(progress: (text: string) => void = () => {}): Promise<BaseImage> {
  const base = baseImage();
  if (existsSync(base.image)) return base;
  mkdirSync(join(base.directory, ".."), { recursive: true });
  const work = mkdtempSync(`${base.directory}.partial-`);
  const mirror = await debianMirror();
  try {
    const tree = join(work, "tree");
    const uml = join(work, "uml");
    progress("unpacking User Mode Linux");
    await mmdebstrap("extract", umlPackages, uml, mirror);
    progress("installing Debian's packages");
    await mmdebstrap("minbase", packages, tree, mirror);
    progress("making it a cloud VM");
    await execa("unshare", ["--mount", customize, tree, uml, overlay], {
      input: users.map((user) => `${user.name} ${user.password ?? "-"}\n`).join(""),
    });
    progress("writing the disk image");
    const image = join(work, "base.img");
    await execa("truncate", ["--size", diskSize, image]);
    await execa("mkfs.ext4", ["-q", "-F", "-L", "root", "-d", tree, image]);
    rmSync(tree, { recursive: true });
    renameSync(work, base.directory);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
  return base;
}

async function mmdebstrap(variant: string, include: string[], target: string, mirror: string): Promise<void> {
  await execa("mmdebstrap", [
    "--quiet", "--mode=root", `--variant=${variant}`, `--include=${include.join(",")}`,
    // Fills /dev with nodes that neither disk nor chroot needs.
    "--skip=chroot/mount/dev,output/dev",
    suite, target, `deb ${mirror} ${suite} main`,
  ]);
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((file) => join(directory, file))
    .filter((file) => statSync(file).isFile())
    .sort();
}
