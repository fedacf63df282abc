import { mkdirSync, rmSync, statfsSync, writeFileSync, existsSync } from "node:fs";
import { arch, freemem, platform } from "node:os";
import { execa } from "execa";
import semver from "semver";
import { cacheDirectory } from "./cache.ts";
import { versions } from "./versions.ts";

/** Programs that the lab calls, by the Debian package that brings each. */
const programs: Record<string, string> = {
  mmdebstrap: "mmdebstrap",
  "docker-registry": "docker-registry",
  dnsmasq: "dnsmasq-base",
  busybox: "busybox",
  curl: "curl",
  "apt-ftparchive": "apt-utils",
  gpg: "gpg",
  "gpg-agent": "gpg-agent",
  "dpkg-deb": "dpkg",
  gcc: "gcc",
  ip: "iproute2",
  "mkfs.ext4": "e2fsprogs",
  ssh: "openssh-client",
  unshare: "util-linux",
  taskset: "util-linux",
  tar: "tar",
};

/** Other packages: the C library for static linking, and Debian's archive keys. */
const packages = ["libc6-dev", "debian-archive-keyring"];

const gibibyte = 2 ** 30;
/** A whole cache takes about 7 GiB, and its making as much again. */
const diskNeeded = 15 * gibibyte;
const memoryNeeded = 6 * gibibyte;

/**
 * Refuses a computer on which the lab cannot run, all reasons at once, and installs the Debian packages that are missing.
 *
 * @param installing called before packages are installed
 */
export async function checkPrerequisites(installing: () => void = () => {}): Promise<void> {
  const faults = await faultsHere();
  if (faults.length > 0) throw new Error(`The lab cannot run here:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  await installMissing(installing);
}

async function faultsHere(): Promise<string[]> {
  const faults: string[] = [];
  if (platform() !== "linux" || arch() !== "x64") faults.push(`it is ${platform()} ${arch()}; User Mode Linux needs Linux on x86-64`);
  if (process.getuid?.() !== 0) faults.push("you are not root; network namespaces and chroots need it: run it with sudo");
  if ((await execa("apt-get", ["--version"], { reject: false })).exitCode !== 0) faults.push("there is no apt-get; the lab is built from Debian packages: use a Debian or an Ubuntu");
  const { stdout } = await execa("go", ["env", "GOVERSION"], { reject: false });
  const go = semver.coerce(stdout);
  if (!go || semver.lt(go, versions.go)) {
    faults.push(`Go is ${go ? go.version : "not there"}; at least ${versions.go} builds Kubernetes' modules: install it from https://go.dev/dl/ and put it on the PATH`);
  }
  if (freemem() < memoryNeeded && available() < memoryNeeded) faults.push(`less than ${memoryNeeded / gibibyte} GiB of memory are free; end something, or use a larger computer`);
  const disk = statfsSync(cacheDirectory());
  const free = disk.bavail * disk.bsize;
  if (free < diskNeeded && !existsSync(`${cacheDirectory()}/artefacts`)) {
    faults.push(`${Math.floor(free / gibibyte)} GiB are free in ${cacheDirectory()}, a fresh cache needs ${diskNeeded / gibibyte}; make room, or set PULUMI_KUBEADM_CACHE to another disk`);
  }
  return faults;
}

/** What the kernel could give, which is more than what lies idle. */
const available = (): number => process.availableMemory();

async function installMissing(installing: () => void): Promise<void> {
  const missing = await missingPackages(programs, packages);
  if (missing.length === 0) return;
  installing();
  await withoutStartingServices(() => install(missing));
  // Nor at the next boot: the lab starts the registry itself, in its own network.
  if (missing.includes("docker-registry")) await execa("systemctl", ["mask", "docker-registry"], { reject: false });
}

/**
 * The Debian packages among these that are not installed here.
 *
 * @param needed programs, by the package that brings each
 * @param others packages without a program
 */
export async function missingPackages(needed: Readonly<Record<string, string>>, others: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(needed).map(async ([program, name]) => ((await execa("sh", ["-c", `command -v ${program}`], { reject: false })).exitCode === 0 ? [] : [name])),
  );
  const installed = await Promise.all(
    others.map(async (name) => ((await execa("dpkg-query", ["-W", "-f=${Status}", name], { reject: false })).stdout.includes("ok installed") ? [] : [name])),
  );
  return [...found, ...installed].flat();
}

/** Installs Debian packages. @throws Error with what apt says when it cannot */
export async function install(names: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // An archive of somebody else that does not answer is no reason to stop: the installation says what is missing.
  await execa("apt-get", ["-qq", "update"], { env, reject: false });
  await execa("apt-get", ["-qq", "install", "--yes", "--no-install-recommends", ...names], { env });
}

/** docker-registry's package would start a service of its own. https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt */
async function withoutStartingServices(work: () => Promise<unknown>): Promise<void> {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return void (await work());
  mkdirSync("/usr/sbin", { recursive: true });
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await work();
  } finally {
    rmSync(policy, { force: true });
  }
}
