import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ClassroomProject } from "./classroom-project.ts";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";

const byHand = { role: "control-plane", version: "1.37.1", certificate: "", since: Date.parse("2026-11-21T10:12:00") / 1000, namespaces: 6, pods: 14 } as const;
const found = "a control plane of Kubernetes 1.37.1, made 2026-11-21 10:12, 6 namespaces, 14 pods";

let site: Site;
let project: ClassroomProject;

beforeEach(() => site.journal.clear());

// One student with two machines, whose course begins with prepared machines and goes on with a cluster.
describe("a class that begins with prepared machines", () => {
  let cp1: ScriptedMachine, w1: ScriptedMachine;

  /** Writes the class with machines that are prepared so far. */
  const prepareTo = (preparation: string) =>
    project.write([["s01", cp1, w1]], { shape: "1+1", cluster: { prepareTo: preparation, ssh: { user: "ops", privateKeyEnv: "TEST_SSH_KEY", connectTimeoutSeconds: 30 } } });

  beforeAll(async () => {
    site = new Site();
    cp1 = await site.machine("s01-cp1", "10.0.0.11");
    w1 = await site.machine("s01-w1", "10.0.0.21");
    project = new ClassroomProject(site);
    prepareTo("packages");
  });

  afterAll(async () => {
    project.close();
    await site.close();
  });

  test("is ready when they are prepared, and has no cluster", async () => {
    const up = await project.run("up");
    expect(up.exitCode, up.output).toBe(0);
    expect(up.output).toMatch(/^s01 .* prepared: packages +\d/m);
    for (const name of ["s01-cp1", "s01-w1"]) expect(site.journal.of(name)).toEqual(["claim", "logins", "kernel", "container-runtime", "kubernetes-packages", "names"].map((stage) => `${stage} apply`));
    const status = await project.run("status");
    expect(status.exitCode, status.output).toBe(0);
    expect(status.output).toMatch(/^s01 +prepared: packages .* at names$/m);
    expect((await project.pulumi("stack", "output", "--stack", "cka-s01")).output).not.toContain("kubeconfig");
    expect((await project.run("up", "--only", "failed")).output).toContain("Every student's cluster is ready.");
  });

  test("keeps what the student makes by hand, and tells of it", async () => {
    cp1.byHand = byHand;
    const up = await project.run("up");
    expect(up.exitCode, up.output).toBe(0);
    expect(site.journal.all).toEqual([]);
    const status = await project.run("status");
    expect(status.exitCode).toBe(0);
    expect(status.output).toContain(`by hand: ${found}`);
    expect((await project.run("check")).output).toContain("Every machine is in order.");
  });

  test("does not go back behind it by itself", async () => {
    prepareTo("runtime");
    const { exitCode, output } = await project.run("up");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/prepareTo: packages cannot become runtime while there is a cluster that somebody made by hand on s01-cp1/);
    expect(site.journal.all).toEqual([]);
    prepareTo("packages");
  });

  test("is reset by taking away what was made by hand; the machines stay prepared", async () => {
    const asked = await project.run("reset", "s01");
    expect(asked.output).toMatch(new RegExp(`s01-cp1: made by hand: ${found}\\n {2}lost: everything that somebody made on the machines with kubeadm by hand.*\\n(.*\\n)+Nothing was done`));
    expect(site.journal.all).toEqual([]);
    const reset = await project.run("reset", "s01", "--yes");
    expect(reset.exitCode, reset.output).toBe(0);
    expect(reset.output).toContain("prepared: packages after");
    expect(site.journal.all.toSorted()).toEqual(["s01-cp1: reset remove", "s01-w1: reset remove"]);
    expect(cp1.byHand).toBeNull();
  });

  test("that goes on to clusters refuses to take one that was made by hand, and names reset, which makes the student's own", async () => {
    cp1.byHand = byHand;
    prepareTo("cluster");
    const { exitCode, output } = await project.run("up");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/somebody has made a cluster on it by hand: .* \[MadeByHand\].*\n.*Next: .*npx pulumi-kubeadm wipe s01-cp1.*npx classroom reset/);
    expect((await project.run("status")).output).toMatch(/`classroom reset s01` takes it away/);
    expect(site.journal.all).toEqual([]);
    const reset = await project.run("reset", "s01", "--yes");
    expect(reset.exitCode, reset.output).toBe(0);
    expect([...cp1.cluster!.nodes]).toEqual(["s01-cp1", "s01-w1"]);
    expect((await project.run("status")).output).toContain("1 of 1 ready.");
  });

  test("a reset then keeps the CA, and worker and control plane are cleared at the same time", async () => {
    const { caCert } = cp1.cluster!;
    // Each waits for the other.
    const held = [cp1, w1].map((machine) => machine.hold("reset remove"));
    const reset = project.start(["reset", "s01", "--yes"]);
    await Promise.race([Promise.all(held.map(({ begun }) => begun)), reset.then(({ all }) => Promise.reject(new Error(all)))]);
    // The worker is marked before the control plane's data goes: it could not tell the new cluster from the old one.
    expect(site.journal.of("s01-w1")[0]).toBe("reset mark");
    held.forEach(({ release }) => release());
    const { exitCode, all } = await reset;
    expect(exitCode, all).toBe(0);
    expect(cp1.cluster!.caCert).toBe(caCert);
    expect(w1.joined).toBe(cp1.cluster);
    expect([...cp1.cluster!.nodes]).toEqual(["s01-cp1", "s01-w1"]);
    expect([...cp1.cluster!.tokens]).toEqual([]);
    for (const command of ["up", "refresh"]) {
      const again = await project.pulumi(command, "--yes", "--skip-preview", "--expect-no-changes", "--stack", "cka-s01");
      expect(again.exitCode, again.output).toBe(0);
    }
  });

  test("a worker whose join failed in a reset is told, counts as not ready, and is joined by up --only failed", async () => {
    w1.failNext("worker apply", ["!!! node s01-w1 did not get Ready"]);
    const { exitCode, output } = await project.run("reset", "s01", "--yes");
    expect(exitCode, output).toBe(1);
    expect(output).toContain("s01-w1: worker: node s01-w1 did not get Ready");
    site.journal.clear();
    const up = await project.run("up", "--only", "failed");
    expect(up.exitCode, up.output).toBe(0);
    expect(site.journal.of("s01-w1")).toEqual(["worker apply", "kubeconfig of student"]);
    expect(w1.joined).toBe(cp1.cluster);
  });

  test("a running cluster does not become prepared machines by itself", async () => {
    prepareTo("packages");
    const { exitCode, output } = await project.run("up");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/prepareTo: cluster cannot become packages while there is a cluster: it would be lost/);
    expect(site.journal.all).toEqual([]);
    expect(cp1.cluster).toBeDefined();
  });

  test("down says what goes too, and gives all machines back", async () => {
    w1.byHand = { ...byHand, role: "worker" };
    const down = await project.run("down", "--yes");
    expect(down.exitCode, down.output).toBe(0);
    expect(down.output).toContain("What goes too:\n  s01-w1: made by hand: a worker of Kubernetes 1.37.1");
    expect([cp1, w1].map(({ isBare }) => isBare)).toEqual([true, true]);
  });
});

// Each test stands on the one before.
describe("a student with three control planes and a worker", () => {
  const nodes = ["s01-cp1", "s01-cp2", "s01-cp3", "s01-w1"];
  let cp1: ScriptedMachine, machines: ScriptedMachine[];

  const handedOut = () => readFileSync(join(project.directory, ".classroom/cka/handout/s01/admin.kubeconfig"), "utf8");

  /** Runs a command that succeeds, and gives what it printed. */
  async function succeed(...args: string[]): Promise<string> {
    const { exitCode, output } = await project.run(...args);
    expect(exitCode, output).toBe(0);
    return output;
  }

  beforeAll(async () => {
    site = new Site();
    machines = await Promise.all(nodes.map((name, i) => site.machine(name, `10.0.0.1${i + 1}`)));
    cp1 = machines[0]!;
    project = new ClassroomProject(site);
    project.write([["s01", ...machines]], { shape: "3+1", vips: { s01: "10.0.0.10" } });
  });

  afterAll(async () => {
    project.close();
    await site.close();
  });

  test("is made behind the roster's vip, and kubectl is set up on every machine", async () => {
    await succeed("up");
    expect(cp1.cluster!.etcd.members).toEqual(["s01-cp1 voter", "s01-cp2 voter", "s01-cp3 voter"]);
    expect([...cp1.cluster!.nodes].sort()).toEqual(nodes);
    expect(await succeed("status")).toMatch(/^s01 +ready +4\/4 /m);
    const before = handedOut();
    expect(before).toContain("server: https://10.0.0.10:6443\n");
    machines.forEach(({ kubeconfigs }) => kubeconfigs.clear());
    await succeed("handout", "s01");
    expect(machines.map(({ kubeconfigs }) => [...kubeconfigs.keys()])).toEqual(nodes.map(() => ["student"]));
    expect(handedOut()).toBe(before);
  });

  test("gets a new CA by a reset, which says so before: only one control plane keeps it", async () => {
    const [{ caCert }, before] = [cp1.cluster!, handedOut()];
    const reset = await succeed("reset", "s01", "--yes");
    expect(reset).toContain("and the cluster's CA (only a finished cluster with one control plane can keep its CA): every kubeconfig that was handed out opens nothing any more");
    expect(cp1.cluster!.caCert).not.toBe(caCert);
    expect(cp1.cluster!.etcd.members).toEqual(["s01-cp1 voter", "s01-cp2 voter", "s01-cp3 voter"]);
    expect([...cp1.cluster!.nodes].sort()).toEqual(nodes);
    expect(site.journal.all.filter((entry) => entry.endsWith(": claim apply"))).toEqual([]);
    expect(handedOut()).not.toBe(before);
    expect(await succeed("status")).toContain("1 of 1 ready.");
  });

  test("gives all four machines back, each with a proof", async () => {
    expect(await succeed("down", "--yes")).toContain("4 machines: 4 as before.");
    expect(machines.map(({ isBare }) => isBare)).toEqual(nodes.map(() => true));
  });
});
