import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import * as lab from "./api.ts";
import { checkPods } from "./check-pods.ts";
import { clusterConfig } from "./cluster.ts";
import { demoHome, demoStack } from "./demo-stack.ts";
import { machines } from "./machines.ts";
import { prepareSite, serveSite } from "./site.ts";
import { openStack, projectDirectory, type LabStack } from "./pulumi.ts";


/** Does a step, and tells what and how long it took. */
async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  console.log(`\n▶ ${title}`);
  const result = await work();
  console.log(`✔ ${title} (${Math.round((Date.now() - start) / 1000)} s)`);
  return result;
}

async function pulumi(stack: LabStack, ...args: string[]): Promise<void> {
  const exitCode = await stack.show(args);
  if (exitCode !== 0) throw new Error(`pulumi ${args[0]} ended with ${exitCode}; the reason stands above. Run \`npm run demo\` again: it goes on from here.`);
}

const namesOf = (role: "cp" | "w") => machines.map(({ name }) => name).filter((name) => name.startsWith(role));

async function up(controlPlanes: number, workers: number): Promise<void> {
  const cluster = {
    controlPlanes: namesOf("cp").slice(0, controlPlanes),
    workers: namesOf("w").slice(0, workers),
  };
  const nodes = [...cluster.controlPlanes, ...cluster.workers];

  // A stack of machines that are gone, as after `npm run lab -- down`, is of no use to new ones.
  if ((await lab.status()).every(({ state }) => state === "no disk")) forgetStack();
  const site = await step("Tools, packages and images of the lab's mirror (built once, from pinned sources)", () => prepareSite());
  await step(`Virtual machines ${nodes.join(", ")}`, async () => {
    await serveSite(site);
    await lab.up(nodes, { progress: (machine, text) => console.log(`  ${machine}: ${text}`) });
  });
  const stack = await openStack(demoStack, demoHome(), site.tools);
  stack.configure(clusterConfig(cluster, site.www));
  await step("pulumi up", () => pulumi(stack, "up", "--yes", "--skip-preview"));
  await step("Pods on every node reach each other and a Service by its name", async () => {
    for (const line of await checkPods(cluster.controlPlanes[0]!, nodes)) console.log(`  ${line}`);
  });
  console.log(`
The cluster runs. Look around:
  npm run lab -- ssh ${cluster.controlPlanes[0]!}                a shell on a machine; kubectl is set up there: kubectl get nodes -o wide
  npm run lab -- shell                  a shell in the lab's network, with pulumi and kubectl set up for this stack:
    npx pulumi stack --stack ${demoStack}       what was made
    npx pulumi preview --refresh --stack ${demoStack}  what differs from what was made
    kubectl get pods -A
Take it down:
  npm run demo -- down`);
}

async function down(): Promise<void> {
  const on = (await lab.status()).some(({ state }) => state === "on");
  if (on) {
    const site = await prepareSite();
    const stack = await openStack(demoStack, demoHome(), site.tools);
    await step("pulumi destroy", () => pulumi(stack, "destroy", "--yes", "--skip-preview"));
  }
  await step("Machines, mirror and network", () => lab.down());
  forgetStack();
}

function forgetStack(): void {
  rmSync(demoHome(), { recursive: true, force: true });
  rmSync(join(projectDirectory, `Pulumi.${demoStack}.yaml`), { force: true });
}

const count = (most: number) => (text: string) => {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > most) throw new InvalidArgumentError(`must be a whole number, at most ${most}`);
  return number;
};

/** Sizes at which etcd's quorum makes sense; the product says why. */
const size = (text: string) => {
  if (!["1", "3", "5"].includes(text)) throw new InvalidArgumentError("must be 1, 3 or 5");
  return Number(text);
};

const program = new Command("npm run demo --").description("A real cluster on virtual machines of this computer, from nothing to pods that reach each other");
program
  .command("up", { isDefault: true })
  .option("--control-planes <n>", "control-plane machines: 1, 3 or 5", size, 1)
  .option("--workers <n>", "worker machines; 0: the control plane takes pods", count(namesOf("w").length), 1)
  .action(({ controlPlanes, workers }: { controlPlanes: number; workers: number }) => up(controlPlanes, workers));
program.command("down").description("destroy the cluster and leave nothing behind").action(down);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`\n✖ ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
