import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { inNamespace } from "./api.ts";
import { cacheDirectory } from "./cache.ts";
import { projectDirectory, pulumiEnvironment } from "./pulumi.ts";
import { prepareSite } from "./site.ts";

/** Name of the demo's stack. */
export const demoStack = "demo";

/** Its backend outlives a restart of this computer, as a real one would. */
export const demoHome = (): string => join(cacheDirectory(), "demo");

const kubeconfigPath = (): string => join(demoHome(), "kubeconfig");

/** What a shell needs so that plain `pulumi`, `npx pulumi` and `kubectl` mean the demo's stack and cluster. */
export async function demoEnvironment(): Promise<Record<string, string>> {
  const { kubectl, tools } = await prepareSite({ silent: true });
  return {
    ...pulumiEnvironment(demoHome()),
    KUBECONFIG: kubeconfigPath(),
    PATH: [join(projectDirectory, "node_modules/.bin"), tools, kubectl, process.env.PATH].join(delimiter),
  };
}

/** Writes the stack's kubeconfig for kubectl, when there is a stack. */
export async function saveKubeconfig(): Promise<void> {
  if (!existsSync(join(demoHome(), "state"))) return;
  const { stdout, exitCode } = await inNamespace("pulumi", ["stack", "output", "kubeconfig", "--show-secrets", "--stack", demoStack], {
    reject: false,
    cwd: projectDirectory,
    env: await demoEnvironment(),
  });
  if (exitCode === 0) writeFileSync(kubeconfigPath(), String(stdout), { mode: 0o600 });
}
