import { readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import { ensureArtefact } from "../cache.ts";
import { users } from "../machines.ts";
import { versions } from "../versions.ts";
import { debianMirror } from "./debian.ts";

/** The image that all machines' disks are copies of, and the User Mode Linux that boots them. */
export interface BaseImage {
  readonly directory: string;
  /** Raw ext4 image, read-only for everybody. */
  readonly image: string;
  /** Tree that holds /usr/bin/linux.uml and its C library. */
  readonly uml: string;
}

/** Size that the machines see; the file is sparse. */
const diskSize = "12G";
/** What a small cloud VM has beside Debian's minimal system; nothing of Kubernetes. */
const packages = [
  "systemd-sysv", "systemd-resolved", "libpam-systemd", "dbus", "udev", "kmod", "openssh-server", "sudo", "procps",
  "iproute2", "iputils-ping", "iptables", "netbase", "ca-certificates", "curl", "gpg", "e2fsprogs",
];
/** linux.uml and the shell that starts it need only these; base-files has the links /lib64 and the like. */
const umlPackages = ["user-mode-linux", "bash", "libc6", "libtinfo6", "base-files"];

const customize = join(import.meta.dirname, "customize.sh");
const overlay = join(import.meta.dirname, "overlay");

/** Builds the base image unless it is there: a minute or two, most of it unpacking packages. */
export async function ensureBaseImage(progress: (text: string) => void = () => {}): Promise<BaseImage> {
  const directory = await ensureArtefact({
    name: "base",
    recipe: [versions.debian, diskSize, packages, umlPackages, users, ...[customize, ...filesUnder(overlay)].map((file) => [relative(overlay, file), readFileSync(file, "utf8")])],
    build: (work) => build(work, progress),
  });
  return { directory, image: join(directory, "base.img"), uml: join(directory, "uml") };
}

async function build(directory: string, progress: (text: string) => void): Promise<void> {
  const tree = join(directory, "tree");
  const uml = join(directory, "uml");
  const mirror = await debianMirror();
  progress("unpacking User Mode Linux");
  await mmdebstrap("extract", umlPackages, uml, mirror);
  progress("installing Debian's packages");
  await mmdebstrap("minbase", packages, tree, mirror);
  progress("making it a cloud VM");
  await execa("unshare", ["--mount", customize, tree, uml, overlay], {
    input: users.map((user) => `${user.name} ${user.password ?? "-"}\n`).join(""),
  });
  progress("writing the disk image");
  const image = join(directory, "base.img");
  await execa("truncate", ["--size", diskSize, image]);
  await execa("mkfs.ext4", ["-q", "-F", "-L", "root", "-d", tree, image]);
  rmSync(tree, { recursive: true });
}

async function mmdebstrap(variant: string, include: string[], target: string, mirror: string): Promise<void> {
  await execa("mmdebstrap", [
    "--quiet", "--mode=root", `--variant=${variant}`, `--include=${include.join(",")}`,
    // Fills /dev with nodes that neither disk nor chroot needs.
    "--skip=chroot/mount/dev,output/dev",
    versions.debian, target, `deb ${mirror} ${versions.debian} main`,
  ]);
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((file) => join(directory, file))
    .filter((file) => statSync(file).isFile())
    .sort();
}
