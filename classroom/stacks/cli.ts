import { accessSync, constants, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, sep } from "node:path";
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";

/** The part of npm's package `pulumi` that finds the CLI it has installed, and installs it when there is none. */
type Resolver = { resolve(): Promise<string> };

/**
 * The Pulumi CLI that `npx pulumi` starts, without the process of npm's package around it: that one would take a signal and not hand
 * it on, and would be one more process for each student.
 *
 * @throws Error when there is none and none can be installed
 */
export async function pulumiCli(): Promise<PulumiCommand> {
  const found = onPath("pulumi");
  const isWrapper = found === undefined || realpathSync(found).endsWith(join(sep, "node_modules", "pulumi", "run.js"));
  if (!isWrapper) return PulumiCommand.get();
  const { resolve } = createRequire(import.meta.url)("pulumi/lib/resolve.js") as Resolver;
  try {
    return await PulumiCommand.get({ root: dirname(dirname(await resolve())) });
  } catch (error) {
    throw new Error(
      `There is no Pulumi CLI, and it cannot be installed: ${(error as Error).message}\nNext: run \`npx pulumi version\` where get.pulumi.com can be reached, ` +
        "or put `pulumi` and `pulumi-language-nodejs` into a directory of the PATH (docs/offline.md).",
    );
  }
}

function onPath(program: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((directory) => join(directory, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
