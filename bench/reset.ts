import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { tableText } from "../classroom/table.ts";
import * as lab from "../lab/api.ts";
import { clusterConfig } from "../lab/cluster.ts";
import { machineNamed } from "../lab/machines.ts";
import { openProject, projectDirectory } from "../lab/pulumi.ts";
import { prepareSite, serveSite } from "../lab/site.ts";
import { byHandOn, initByHand, type Phases } from "./by-hand.ts";

// `classroom reset` of one student on machines of the lab, against the time that kubeadm init took on the same machine when the cluster
// was made. The machines stay on from one reset to the next, as in a class.

/** Seconds of one reset. */
interface Figures {
  /** The whole command, from its start to its end. */
  readonly command: number;
  /** Until the control plane's node was Ready, by the cluster's own clock; whole seconds. */
  readonly nodeReady: number;
  /** What the control plane's machine worked, by job. */
  readonly jobs: ReadonlyMap<string, number>;
}

const [controlPlane, ...workers] = process.argv.length > 2 ? process.argv.slice(2) : ["cp1"];
const student = "s01";
const times = 3;

const on = async (command: string): Promise<string> => String((await lab.ssh(machineNamed(controlPlane!), command, {})).stdout);

/** Seconds of the last job of each name, apply or remove, as the machine's logs tell. */
async function lastJobs(): Promise<Map<string, number>> {
  const lines = await on("sudo bash -c 'grep -h ^--- /var/log/pulumi-kubeadm/*.log'");
  return new Map([...lines.matchAll(/^--- \S+ (\S+) (?:apply|remove) for .* exit 0 after ([\d.]+) s$/gm)].map(([, stage, seconds]) => [stage!, Number(seconds)]));
}

const site = await prepareSite();
await serveSite(site);
const home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-bench-"));
try {
  const names = [controlPlane!, ...workers];
  await Promise.all(names.map((name) => lab.reset(name)));
  const project = openProject(home, site.tools);
  const { controlPlanes: _, workers: __, ...cluster } = clusterConfig({ controlPlanes: [controlPlane!], workers }, site.www);
  writeFileSync(join(home, "class.yaml"), stringify({ name: "bench", shape: `1+${workers.length}`, cluster }));
  writeFileSync(join(home, "roster.csv"), `student,machines\n${student},${names.map((name) => machineNamed(name).address).join(" ")}\n`);
  const classroom = async (...args: string[]) => {
    const start = Date.now();
    const { exitCode, output } = await project.run("node", ["classroom/main.ts", ...args, "--class", join(home, "class.yaml")]);
    if (exitCode !== 0) throw new Error(`classroom ${args.join(" ")}:\n${output}`);
    return (Date.now() - start) / 1000;
  };
  const reset = async (...options: string[]): Promise<Figures> => {
    const since = Number(await on("date +%s"));
    const command = await classroom("reset", student, "--yes", ...options);
    const ready = await on(`sudo kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -l node-role.kubernetes.io/control-plane -o 'jsonpath={.items[0].status.conditions[?(@.type=="Ready")].lastTransitionTime}'`);
    return { command, nodeReady: Date.parse(ready) / 1000 - since, jobs: await lastJobs() };
  };

  const up = await classroom("up", student);
  const init = (await lastJobs()).get("control-plane")!;
  console.log(`${names.join(", ")}: classroom up ${up.toFixed(0)} s; kubeadm init in it ${init.toFixed(1)} s\n`);
  const runs: [string, Figures][] = [];
  for (let run = 1; run <= times; run++) runs.push([`reset ${run}`, await reset()]);
  runs.push(["reset --new-ca", await reset("--new-ca")]);
  const byHand: Phases = new Map();
  await byHandOn(controlPlane!, "by-hand-reset.sh", {}, byHand);
  await initByHand(controlPlane!, workers.length === 0, byHand);
  const seconds = (value: number | undefined) => value?.toFixed(1) ?? "";
  console.log(
    tableText(
      ["", "command", "node Ready", "kubeadm reset", "kubeadm init", "flannel, CoreDNS", "command / init", "Ready / init"],
      runs.map(([name, { command, nodeReady, jobs }]) => [
        name,
        seconds(command),
        seconds(nodeReady),
        seconds(jobs.get("reset")),
        seconds(jobs.get("control-plane")),
        seconds(jobs.get("flannel")),
        (command / init).toFixed(2),
        (nodeReady / init).toFixed(2),
      ]),
    ),
  );
  console.log(`\nby hand on ${controlPlane}, kubeadm reset, init and flannel until CoreDNS answers: ${[...byHand.values()].reduce((sum, each) => sum + each, 0).toFixed(1)} s`);
  for (const [phase, took] of byHand) console.log(`  ${phase.padEnd(20)} ${took.toFixed(1).padStart(6)} s`);
} finally {
  await lab.down();
  rmSync(home, { recursive: true, force: true });
  rmSync(join(projectDirectory, `Pulumi.bench-${student}.yaml`), { force: true });
}
