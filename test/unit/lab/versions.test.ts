import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { describe, expect, test } from "vitest";
import { versions } from "../../../lab/versions.ts";

const sources = join(import.meta.dirname, "../../../lab/sources");

/** What each go.mod of lab/sources must require. */
const modules: Record<string, Record<string, string>> = {
  "cni-plugins": { "github.com/containernetworking/plugins": versions.cniPlugins },
  containerd: { "github.com/containerd/containerd/v2": versions.containerd },
  coredns: { "github.com/coredns/coredns": versions.coredns },
  crane: { "github.com/google/go-containerregistry": versions.crane },
  "cri-tools": { "sigs.k8s.io/cri-tools": versions.criTools },
  etcd: { "go.etcd.io/etcd/server/v3": versions.etcd, "go.etcd.io/etcd/etcdctl/v3": versions.etcd },
  flannel: { "github.com/flannel-io/flannel": versions.flannel },
  "flannel-cni": { "github.com/containernetworking/plugins": versions.flannelCni },
  kubernetes: { "k8s.io/kubernetes": versions.kubernetes },
  pulumi: { "github.com/pulumi/pulumi/pkg/v3": versions.pulumi, "github.com/pulumi/pulumi/sdk/v3": versions.pulumi },
  "pulumi-language-nodejs": { "github.com/pulumi/pulumi/sdk/v3": versions.pulumiLanguageNodejs },
};

const goMod = (source: string) => readFileSync(join(sources, source, "go.mod"), "utf8");

test("every Go source of the lab has its version in the table", () => {
  expect(readdirSync(sources).sort()).toEqual(Object.keys(modules).sort());
});

describe.each(Object.entries(modules))("lab/sources/%s", (source, required) => {
  test("requires the versions of the table", () => {
    const found = Object.fromEntries(
      [...goMod(source).matchAll(/^(?:require )?\s*(\S+) v(\S+)(?: \/\/ indirect)?$/gm)].map(([, module, version]) => [module, version]),
    );
    expect(found).toMatchObject(required);
  });

  test("builds with the Go that the lab asks for", () => {
    const needed = /^go (\S+)$/m.exec(goMod(source))?.[1];
    expect(semver.lte(semver.coerce(needed)!, versions.go)).toBe(true);
  });
});

test("Kubernetes' parts are all of its own version", () => {
  const parts = [...goMod("kubernetes").matchAll(/^\s*(k8s\.io\/\S+) => \1 v(\S+)$/gm)].map(([, , version]) => version);
  expect(parts.length).toBeGreaterThan(30);
  expect(new Set(parts)).toEqual(new Set([versions.kubernetes.replace(/^1/, "0")]));
});
