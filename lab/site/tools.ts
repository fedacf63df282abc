import { chmodSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Artefact } from "../cache.ts";
import { versions } from "../versions.ts";

const sources = join(import.meta.dirname, "../sources");

/** How the programs of one Go module are built. */
interface Build {
  readonly tags?: string;
  readonly ldflags?: string;
  /** Needs a C compiler; the result is static all the same. */
  readonly cgo?: boolean;
  /** Names that the programs get, where the module's own is another. */
  readonly rename?: Record<string, string>;
}

const [major, minor] = versions.kubernetes.split(".");
const kubernetesVersion = [
  `k8s.io/component-base/version.gitVersion=v${versions.kubernetes}`,
  `k8s.io/component-base/version.gitMajor=${major}`,
  `k8s.io/component-base/version.gitMinor=${minor}`,
  "k8s.io/component-base/version.gitTreeState=clean",
  `k8s.io/client-go/pkg/version.gitVersion=v${versions.kubernetes}`,
];

/** By the folder of lab/sources. Every `tool` of its go.mod is built. */
const builds = {
  crane: {},
  pulumi: { tags: "osusergo", ldflags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${versions.pulumi}` },
  "pulumi-language-nodejs": {},
  kubernetes: { ldflags: kubernetesVersion.map((setting) => `-X ${setting}`).join(" ") },
  containerd: { ldflags: `-X github.com/containerd/containerd/v2/version.Version=v${versions.containerd}` },
  etcd: { rename: { server: "etcd" } },
  "cri-tools": { ldflags: `-X sigs.k8s.io/cri-tools/pkg/version.Version=v${versions.criTools}` },
  "cni-plugins": {},
  "flannel-cni": {},
  coredns: {},
  flannel: {
    cgo: true,
    tags: "netgo osusergo",
    ldflags: `-linkmode external -extldflags -static -X github.com/flannel-io/flannel/pkg/version.Version=v${versions.flannel}`,
    rename: { flannel: "flanneld", install_conf: "install-conf" },
  },
} satisfies Record<string, Build>;

/** Name of a Go source. */
export type Source = keyof typeof builds;

/** All sources, in the order in which they are built. */
export const sourceNames = Object.keys(builds) as Source[];

/** The programs of one Go module, built from its pinned sources; the module proxy's answers are checked against go.sum. */
export function goTools(source: Source): Artefact {
  const build: Build = builds[source];
  const directory = join(sources, source);
  const flags = ["-trimpath", "-mod=readonly", "-buildvcs=false", ...(build.tags ? ["-tags", build.tags] : []), "-ldflags", `-s -w ${build.ldflags ?? ""}`.trim()];
  return {
    name: `tools-${source}`,
    recipe: [flags, build, readFileSync(join(directory, "go.mod"), "utf8"), readFileSync(join(directory, "go.sum"), "utf8")],
    async build(target) {
      const env = { CGO_ENABLED: build.cgo ? "1" : "0", GOFLAGS: "" };
      await execa("go", ["build", ...flags, "-o", `${target}/`, "tool"], { cwd: directory, env });
      for (const [from, to] of Object.entries(build.rename ?? {})) renameSync(join(target, from), join(target, to));
    },
  };
}

/** What a pod's sandbox runs: it waits for ever, and reaps the processes that its pod leaves. */
const pauseSource = `
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void stop(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0) {} }
int main(void) {
  signal(SIGINT, stop); signal(SIGTERM, stop); signal(SIGCHLD, reap);
  for (;;) pause();
}
`;

export const pause: Artefact = {
  name: "tools-pause",
  recipe: pauseSource,
  async build(target) {
    await execa("gcc", ["-static", "-Os", "-s", "-x", "c", "-", "-o", join(target, "pause")], { input: pauseSource });
    chmodSync(join(target, "pause"), 0o755);
  },
};
