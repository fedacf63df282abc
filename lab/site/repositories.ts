import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { ensureArtefact } from "../cache.ts";
import { versions } from "../versions.ts";
import { buildDeb, type Deb } from "./deb.ts";
import { downloadDebian } from "./debian.ts";
import { containerdPackage, kubernetesPackages, newerKubectl, type Tools } from "./packages.ts";
import { signRelease, type SigningKey } from "./signing.ts";

/** What the stages, the machines and a later control plane install from Debian, beside the machines' base system; and what tests put on a machine. */
const debianPackages = [
  "conntrack", "socat", "ethtool", "ipset", "ipvsadm", "iptables", "nftables", "kmod", "mount", "util-linux", "libseccomp2", "gpg", "gpgv",
  "apparmor", "curl", "ca-certificates", "keepalived", "haproxy", "chrony", "jq", "bash-completion", "cloud-init",
];

const minor = versions.kubernetes.split(".").slice(0, 2).join(".");

/** Packages of Debian with all that they depend on. */
export const debianPart = (onBuild: () => void) =>
  ensureArtefact(
    { name: "debian", recipe: [versions.debian, debianPackages], build: (directory) => downloadDebian(versions.debian, debianPackages, directory) },
    onBuild,
  );

/** runc, from Debian's package: containerd.io brings its own. */
export async function runc(onBuild: () => void): Promise<string> {
  const directory = await ensureArtefact(
    {
      name: "runc",
      recipe: versions.debian,
      async build(target) {
        await downloadDebian(versions.debian, ["runc"], join(target, "debs"));
        await execa("sh", ["-c", `dpkg-deb --fsys-tarfile debs/runc_*.deb | tar x --strip-components=3 ./usr/sbin/runc && rm -r debs`], { cwd: target });
      },
    },
    onBuild,
  );
  return join(directory, "runc");
}

/**
 * The web root of the mirror: signed apt repositories in the layout of their upstreams.
 *
 * @returns the directory
 */
export async function webRoot(tools: Tools, debian: string, key: SigningKey, onBuild: () => void): Promise<string> {
  const kubernetes = kubernetesPackages(tools);
  const newer = [newerKubectl(tools)];
  const containerd = [containerdPackage(tools)];
  return ensureArtefact(
    {
      name: "web-root",
      recipe: [kubernetes, newer, containerd, debian, key.armored],
      async build(www) {
        await flatRepository(join(www, `kubernetes/core:/stable:/v${minor}/deb`), kubernetes, key);
        await flatRepository(join(www, "kubernetes-newer"), newer, key);
        const docker = join(www, "docker/debian");
        await buildInto(join(docker, "pool"), containerd);
        await suiteRepository(docker, "stable", key);
        writeFileSync(join(docker, "gpg"), key.armored);
        const debianRoot = join(www, "debian");
        mkdirSync(debianRoot, { recursive: true });
        cpSync(debian, join(debianRoot, "pool"), { recursive: true });
        await suiteRepository(debianRoot, "main", key);
      },
    },
    onBuild,
  );
}

async function buildInto(directory: string, debs: readonly Deb[]): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const deb of debs) await buildDeb(deb, directory);
}

/** As pkgs.k8s.io: packages, index and Release in one folder. */
async function flatRepository(directory: string, debs: readonly Deb[], key: SigningKey): Promise<void> {
  await buildInto(directory, debs);
  await index(directory, ".", directory);
  await release(directory, [], key);
  writeFileSync(join(directory, "Release.key"), key.armored);
}

/** As Debian's archive: packages under pool, indexes under dists. */
async function suiteRepository(root: string, component: string, key: SigningKey): Promise<void> {
  const suite = join(root, "dists", versions.debian);
  const binary = join(suite, component, "binary-amd64");
  mkdirSync(binary, { recursive: true });
  await index(root, "pool", binary);
  await release(suite, ["-o", `APT::FTPArchive::Release::Components=${component}`], key);
}

async function index(root: string, packages: string, target: string): Promise<void> {
  const { stdout } = await execa("apt-ftparchive", ["packages", packages], { cwd: root, stripFinalNewline: false });
  // apt-ftparchive names what it found from where it stood; a flat repository's files have no folder in front.
  writeFileSync(join(target, "Packages"), stdout.replaceAll("Filename: ./", "Filename: "));
  await execa("gzip", ["--keep", "--no-name", join(target, "Packages")]);
}

async function release(directory: string, options: readonly string[], key: SigningKey): Promise<void> {
  const { stdout } = await execa(
    "apt-ftparchive",
    ["-o", `APT::FTPArchive::Release::Suite=${versions.debian}`, "-o", `APT::FTPArchive::Release::Codename=${versions.debian}`, "-o", "APT::FTPArchive::Release::Architectures=amd64", ...options, "release", "."],
    { cwd: directory, stripFinalNewline: false },
  );
  writeFileSync(join(directory, "Release"), stdout);
  await signRelease(key, join(directory, "Release"));
}
