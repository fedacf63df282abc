import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { Listr, PRESET_TIMER, type ListrTask } from "listr2";
import { ensureArtefact, withCacheLock } from "./cache.ts";
import { machines, network } from "./machines.ts";
import { ensureNetwork, inNamespace, namespace, namespaceProcesses } from "./machines/network.ts";
import { runDirectory } from "./machines/paths.ts";
import { registryStorage } from "./site/images.ts";
import type { Tools } from "./site/packages.ts";
import { debianPart, runc, webRoot } from "./site/repositories.ts";
import { signingKey } from "./site/signing.ts";
import { goTools, pause, sourceNames, type Source } from "./site/tools.ts";
import { checkPrerequisites } from "./prerequisites.ts";

/** What a closed site offers to its machines, and the tools of whoever works there. */
export interface Site {
  /** Web root of the package mirror. */
  readonly www: string;
  /** Storage of the image registry. */
  readonly registry: string;
  /** Directory with pulumi and its Node language host. */
  readonly tools: string;
  /** Directory with kubectl. */
  readonly kubectl: string;
  /** Armored public key of the package mirror. */
  readonly key: string;
}

/** Builds what is missing of the site, with one line of progress per part unless it is to be silent. */
export async function prepareSite({ silent = false } = {}): Promise<Site> {
  const built = {} as Record<Source | "pause" | "runc" | "debian" | "www" | "registry" | "pulumiTools", string>;
  let key = "";
  const part = (title: string, work: (building: () => void) => Promise<unknown>): ListrTask => ({
    title,
    task: async (_, task) => {
      let reused = true;
      await work(() => {
        reused = false;
        task.output = "building";
      });
      if (reused) task.skip(`${title}: there already`);
    },
  });
  const parts = new Listr(
    [
      part("what the lab needs of this computer", checkPrerequisites),
      ...sourceNames.map((source) => part(source, async (building) => (built[source] = await ensureArtefact(goTools(source), building)))),
      part("pause", async (building) => (built.pause = await ensureArtefact(pause, building))),
      part("runc", async (building) => (built.runc = await runc(building))),
      part("Debian's packages", async (building) => (built.debian = await debianPart(building))),
      part("package repositories", async (building) => {
        const signing = await signingKey();
        key = signing.armored;
        built.www = await webRoot(built as Tools, built.debian, signing, building);
      }),
      part("images", async (building) => (built.registry = await registryStorage(built, building))),
      part("Pulumi's tools", async (building) => (built.pulumiTools = await pulumiTools(built, building))),
    ],
    { silentRendererCondition: silent, rendererOptions: { timer: PRESET_TIMER, collapseSkips: false }, fallbackRendererOptions: { timer: PRESET_TIMER } },
  );
  await withCacheLock(
    () => parts.run(),
    () => console.log("waiting for another run that builds the lab's cache"),
  );
  return { www: built.www, registry: built.registry, tools: built.pulumiTools, kubectl: built.kubernetes, key };
}

/** The CLI and its language host in one directory: the engine looks for the one beside the other. */
function pulumiTools(built: Record<"pulumi" | "pulumi-language-nodejs", string>, onBuild: () => void): Promise<string> {
  const from = [built.pulumi, built["pulumi-language-nodejs"]];
  return ensureArtefact(
    { name: "pulumi", recipe: from, build: async (target) => void (await execa("cp", ["-a", ...from.map((directory) => `${directory}/.`), target])) },
    onBuild,
  );
}

/** Serves the mirror, the registry and the nameserver inside the lab's network; what is served already stays. */
export async function serveSite({ www, registry }: Site): Promise<void> {
  await ensureNetwork();
  mkdirSync(runDirectory, { recursive: true, mode: 0o755 });
  // Named after the storage: another storage is another server, see serve().
  const config = join(runDirectory, `${basename(registry)}.yml`);
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${registry}}, maintenance: {readonly: {enabled: true}}}\nhttp: {addr: "${network.address}:5000"}\n`,
  );
  const hosts = join(runDirectory, "hosts");
  writeFileSync(hosts, [...machines, { name: "mirror", address: network.address }].map(({ name, address }) => `${address} ${name} ${name}.lab\n`).join(""));

  await serve("busybox", ["httpd", "-f", "-p", `${network.address}:80`, "-h", www]);
  await serve("docker-registry", ["serve", config]);
  await serve("dnsmasq", ["--keep-in-foreground", "--no-resolv", "--address=/#/", "--no-hosts", "--no-poll", `--addn-hosts=${hosts}`, `--listen-address=${network.address}`, "--bind-interfaces", "--user=root", "--pid-file="]);
  await answers(`http://${network.address}/docker/debian/gpg`);
  await answers(`http://${network.address}:5000/v2/`);
}

async function serve(program: string, args: string[]): Promise<void> {
  const running = namespaceProcesses().find((process) => process.args[0]?.endsWith(program));
  if (running) {
    // The same program with other arguments serves another site: an older mirror.
    if (running.args.slice(1).join("\0") === args.join("\0")) return;
    process.kill(running.pid, "SIGKILL");
  }
  const log = openSync(join(runDirectory, `${program}.log`), "a", 0o600);
  const child = spawn("ip", ["netns", "exec", namespace, program, ...args], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
  });
  closeSync(log);
  child.unref();
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { exitCode, stderr } = await inNamespace("curl", ["-sS", "-o", "/dev/null", "--max-time", "5", url], { reject: false });
    if (exitCode === 0) return;
    if (Date.now() > deadline) throw new Error(`${url} did not answer in 30 s (${String(stderr)}); see the logs in ${runDirectory}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
