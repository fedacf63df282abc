import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { ensureArtefact } from "../cache.ts";
import { debianMirror } from "../machines/debian.ts";
import { versions } from "../versions.ts";

/** Programs that go into images, by the directory that holds them. */
export type ImageTools = Record<"kubernetes" | "etcd" | "coredns" | "flannel" | "flannel-cni" | "pause" | "crane", string>;

/** An image of the registry. */
interface Image {
  readonly name: string;
  /** Programs by the path that they get in the image. */
  readonly programs: Record<string, string>;
  readonly entrypoint?: string;
  /** Stands on a small Debian with what talks to the kernel's networking. */
  readonly debian?: true;
}

/** What kube-proxy and flannel call, and what the demo's pods use. */
const basePackages = ["iptables", "nftables", "conntrack", "ipset", "kmod", "busybox", "curl", "ca-certificates"];

function images(tools: ImageTools): Image[] {
  const kubernetes = `v${versions.kubernetes}`;
  const bin = (source: keyof ImageTools, program: string) => ({ [`usr/local/bin/${program}`]: join(tools[source], program) });
  return [
    ...["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((program) => ({ name: `${program}:${kubernetes}`, programs: bin("kubernetes", program) })),
    { name: `kube-proxy:${kubernetes}`, programs: bin("kubernetes", "kube-proxy"), debian: true },
    { name: `etcd:${versions.etcd}-0`, programs: { ...bin("etcd", "etcd"), ...bin("etcd", "etcdctl"), ...bin("etcd", "etcdutl") } },
    { name: `coredns/coredns:v${versions.coredns}`, programs: { coredns: join(tools.coredns, "coredns") }, entrypoint: "/coredns" },
    { name: `pause:${versions.pause}`, programs: { pause: join(tools.pause, "pause") }, entrypoint: "/pause" },
    { name: `flannel-io/flannel:v${versions.flannel}`, programs: { "opt/bin/flanneld": join(tools.flannel, "flanneld"), "opt/bin/install-conf": join(tools.flannel, "install-conf") }, debian: true },
    { name: `flannel-io/flannel-cni-plugin:v${versions.flannelCniImage}`, programs: { flannel: join(tools["flannel-cni"], "flannel") }, debian: true },
    { name: "library/toolbox:1", programs: {}, debian: true },
  ];
}

const baseLayer = (onBuild: () => void) =>
  ensureArtefact(
    {
      name: "image-base",
      recipe: [versions.debian, basePackages],
      async build(target) {
        await execa("mmdebstrap", [
          "--quiet", "--mode=root", "--variant=essential", `--include=${basePackages.join(",")}`,
          // The lab's kernel has xtables, but no nf_tables for IPv4.
          '--customize-hook=chroot "$1" update-alternatives --quiet --set iptables /usr/sbin/iptables-legacy',
          '--customize-hook=chroot "$1" update-alternatives --quiet --set ip6tables /usr/sbin/ip6tables-legacy',
          "--customize-hook=rm -rf \"$1\"/usr/share/doc \"$1\"/usr/share/locale \"$1\"/usr/share/man",
          versions.debian, join(target, "layer.tar"), `deb ${await debianMirror()} ${versions.debian} main`,
        ]);
      },
    },
    onBuild,
  );

/** The storage of an image registry that holds everything a cluster of the lab pulls, made without a container daemon. */
export async function registryStorage(tools: ImageTools, onBuild: () => void): Promise<string> {
  const base = join(await baseLayer(onBuild), "layer.tar");
  const list = images(tools);
  return ensureArtefact(
    {
      name: "registry",
      recipe: [list, base],
      async build(storage) {
        const port = await freePort();
        const config = join(storage, "config.yml");
        writeFileSync(config, `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${storage}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`);
        // It ends with this process, however that ends.
        const registry = execa("setpriv", ["--pdeathsig", "KILL", "docker-registry", "serve", config], { reject: false, stdio: "ignore", env: { OTEL_TRACES_EXPORTER: "none" } });
        try {
          await answers(`http://127.0.0.1:${port}/v2/`);
          for (const image of list) await push(image, `127.0.0.1:${port}`, base, join(tools.crane, "crane"));
        } finally {
          registry.kill();
          await registry;
          rmSync(config);
        }
      },
    },
    onBuild,
  );
}

async function push(image: Image, registry: string, base: string, crane: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-image-"));
  try {
    const layers = image.debian ? [base] : [];
    if (Object.keys(image.programs).length > 0) {
      const tree = join(work, "tree");
      for (const [path, from] of Object.entries(image.programs)) {
        mkdirSync(join(tree, dirname(path)), { recursive: true });
        copyFileSync(from, join(tree, path));
      }
      const layer = join(work, "layer.tar");
      await execa("tar", ["--owner=0", "--group=0", "--mode=0755", "--mtime=@0", "--sort=name", "-cf", layer, "-C", tree, "."]);
      layers.push(layer);
    }
    const reference = `${registry}/${image.name}`;
    await execa(crane, ["append", "--insecure", "--platform", "linux/amd64", "--new_tag", reference, ...layers.flatMap((layer) => ["--new_layer", layer])]);
    const settings = ["--set-platform", "linux/amd64", ...(image.entrypoint ? ["--entrypoint", image.entrypoint] : [])];
    await execa(crane, ["mutate", "--insecure", ...settings, "--tag", reference, reference]);
  } catch (error) {
    throw new Error(`image ${basename(image.name)}: ${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`the registry did not answer at ${url} in 30 s`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
