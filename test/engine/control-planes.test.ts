import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { ScriptedCluster } from "./scripted-cluster.ts";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

const stages = ["claim", "kernel", "container-runtime", "kubernetes-packages", "endpoint", "names"];
const applied = stages.map((stage) => `${stage} apply`);
const removed = stages.toReversed().map((stage) => `${stage} remove`);

let site: Site;
let stack: Stack;

/** Settings with these machines as the control plane, the first of the list first. A machine that takes over a name is let in by its key. */
function config(controlPlanes: readonly ScriptedMachine[]): Record<string, unknown> {
  const slots = controlPlanes.map(({ settings, shell }) => ({ ...settings, hostKey: shell.hostKey }));
  return { ...configOf(site, controlPlanes.slice(0, 1)), controlPlanes: slots, endpoint: { vip: "10.0.0.10" } };
}

/** What was done to the control plane, in order, each with its machine; without the stages. */
const done = () => site.journal.all.filter((entry) => ![...applied, ...removed].some((what) => entry.endsWith(`: ${what}`)));

const joined = (through: string, name: string, machine = name) => [
  `${through}: etcd-snapshot apply`,
  `${through}: join-token ${name}`,
  `${machine}: control-plane apply`,
];

const labelled = (through: string, ...names: string[]) => names.map((name) => `${through}: node ${name} apply`);

// One cluster that grows, loses machines, gets others in their places, and shrinks: each test stands on the one before.
describe("a control plane of which every change goes through the members that stay", () => {
  let cluster: ScriptedCluster;
  let cp1: ScriptedMachine;
  let cp2: ScriptedMachine;
  let cp3: ScriptedMachine;

  beforeAll(async () => {
    site = new Site();
    cp1 = await site.machine("cp1", "10.0.0.11");
    cp2 = await site.machine("cp2", "10.0.0.12");
    cp3 = await site.machine("cp3", "10.0.0.13");
    stack = await new Stack(site).open(config([cp1]));
    await stack.up();
    cluster = cp1.cluster!;
  });

  beforeEach(() => site.journal.clear());

  afterAll(async () => {
    stack.close();
    await site.close();
  });

  const notGivenBack = () => join(stack.directory, "not-given-back");

  test("1 to 3: the preview tells the way, and the machines join one at a time, each after a snapshot", async () => {
    stack.configure(config([cp1, cp2, cp3]));
    const preview = await stack.succeed("preview");
    expect(preview).toMatch(/control plane 1 -> 3: etcd 3\.7\.0, cp1 leads, .*healthy/);
    expect(preview).toMatch(/1\. snapshot first, then join cp2 +voters 1 -> 2 +quorum 1 -> 2 +tolerance 0 -> 0 +\(tolerance 0 while at 2\)/);
    expect(preview).toMatch(/2\. snapshot first, then join cp3 +voters 2 -> 3 +quorum 2 -> 2 +tolerance 0 -> 1/);
    expect(site.journal.all).toEqual([]);

    await stack.up();
    // The pod network is asked again until the new nodes are Ready, too.
    expect(done()).toEqual([...joined("cp1", "cp2"), ...joined("cp1", "cp3"), ...labelled("cp1", "cp1", "cp2", "cp3"), "cp1: flannel apply"]);
    expect(cluster.etcd.members).toEqual(["cp1 voter", "cp2 voter", "cp3 voter"]);
    for (const next of [cp2, cp3]) {
      expect(site.journal.of(next.name)).toEqual([...applied, "control-plane apply"]);
      expect(next.cluster).toBe(cluster);
    }
  });

  test("neither the key to the certificates nor a token outlives its join, and none stands in the state, in what is printed or on a command line", () => {
    const secrets = [...cluster.everyToken, ...cluster.everyCertificateKey];
    expect(secrets).toHaveLength(4);
    expect(new Set(secrets).size).toBe(4);
    expect([...cluster.tokens, cluster.certificateKey]).toEqual([undefined]);
    const places = { state: stack.stateText, output: stack.printed, commands: site.machines.flatMap(({ shell }) => shell.commandLines).join("\n") };
    for (const [place, text] of Object.entries(places)) {
      expect(secrets.filter((secret) => text.includes(secret)), place).toEqual([]);
    }
  });

  test("the second up changes nothing, also after a refresh", async () => {
    await stack.succeed("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes");
    expect(site.journal.all).toEqual([]);
  });

  test("a change while another run, of another backend, changes the members: it is named, and nothing is changed", async () => {
    const other = "ops@elsewhere (process 7, stack lab)";
    cluster.lease.ask(other, "");
    const renewing = setInterval(() => cluster.lease.ask(other, ""), 500);
    try {
      stack.configure(config([cp1]));
      expect(await stack.failingUp()).toContain(`${other} changes the members of this control plane, since 20`);
    } finally {
      clearInterval(renewing);
      cluster.lease.release(other);
    }
    expect(done()).toEqual([]);
    expect(cluster.etcd.members).toEqual(["cp1 voter", "cp2 voter", "cp3 voter"]);
    stack.configure(config([cp1, cp2, cp3]));
    await stack.up();
    expect(cluster.etcd.members).toEqual(["cp1 voter", "cp2 voter", "cp3 voter"]);
  });

  describe("a change that would break the quorum", () => {
    /** Runs an `up` that must not be carried out, and gives what it printed. */
    async function refused(...controlPlanes: ScriptedMachine[]): Promise<string> {
      const before = stack.remembered;
      stack.configure(config(controlPlanes));
      const output = await stack.failingUp();
      expect(site.journal.all).toEqual([]);
      expect(stack.remembered).toEqual(before);
      expect(cluster.etcd.members).toEqual(["cp1 voter", "cp2 voter", "cp3 voter"]);
      return output;
    }

    beforeEach(() => cp3.shell.stop());

    afterEach(async () => {
      cp3.runsWithoutSsh = false;
      await cp3.shell.start();
    });

    test("is refused with the figures and the safe next step, and leaves state and machines as they were: the one that is to stay is dead", async () => {
      const output = await refused(cp3);
      expect(output).toMatch(/controlPlanes: .*\(3 voters, quorum 2, tolerance 1; 2 healthy; sick: cp3 does not answer/);
      expect(output).toMatch(/Next: bring cp3 back/);
    });

    test("is refused when a machine only seems to be dead: SSH does not get through, and the other members reach its etcd", async () => {
      cp3.runsWithoutSsh = true;
      const output = await refused(cp1, cp2, await site.machine("cp3", "10.0.0.23", "another cp3"));
      expect(output).toMatch(/controlPlanes: cp3 .*must not be taken .* other members reach its etcd/);
    });
  });

  test("the first machine dies, and another one takes its name: the dead member goes first, also when pulumi is killed before the new one votes", async () => {
    await cp1.shell.stop();
    const next = await site.machine("cp1", "10.0.0.14", "new cp1");
    stack.configure(config([next, cp2, cp3]));

    const held = next.hold("promotion");
    const killed = stack.start(["up", "--yes", "--skip-preview"]);
    const endedBefore = killed.then(({ all }) => Promise.reject(new Error(`pulumi up ended before the join began: ${all}`)));
    const job = await Promise.race([held.begun, endedBefore]);
    killed.kill("SIGKILL");
    await killed;
    expect(done()).toEqual([
      "cp2: etcd-snapshot apply",
      "cp2: etcd-member cp1 remove",
      "cp2: node cp1 remove",
      ...joined("cp2", "cp1", "new cp1"),
    ]);
    expect(cluster.etcd.members).toEqual(["cp2 voter", "cp3 voter", "cp1 learner"]);
    await stack.succeed("cancel", "--yes");

    site.journal.clear();
    const up = stack.up();
    // The join goes on by itself, and is waited for.
    await expect.poll(() => job.waiting, { timeout: 60_000 }).toBe(1);
    held.release();
    const output = await up;
    // Nothing of it is done twice, neither by this one nor by what the killed pulumi left running.
    expect(done()).toEqual(labelled("new cp1", "cp1", "cp2", "cp3"));
    expect(cluster.etcd.members).toEqual(["cp2 voter", "cp3 voter", "cp1 voter"]);
    expect(cluster.etcd.everyMember).toEqual(["cp1", "cp2", "cp3", "cp1"]);
    expect(output).toMatch(/warning: cp1 is not given back: .* refuses the connection/);
    expect(readdirSync(notGivenBack())).toEqual([expect.stringMatching(/^cp1-/)]);
    cp1 = next;
  });

  test("after it nothing is left to do, and nobody waits for the dead machine any more", async () => {
    await stack.succeed("up", "--yes", "--skip-preview", "--expect-no-changes");
    expect(stack.state.get("test-preflight")?.inputs).not.toHaveProperty("formerControlPlanes");
    expect(site.journal.all).toEqual([]);
  });

  test("a machine that was installed anew joins again at its old address, and the list of machines not given back does not stop it", async () => {
    await cp2.shell.stop();
    const next = await site.machine("cp2", cp2.clusterAddress, "new cp2", cp2.shell.port);
    stack.configure(config([cp1, next, cp3]));
    const output = await stack.up();
    expect(done()).toEqual([
      "new cp1: etcd-snapshot apply",
      "new cp1: etcd-member cp2 remove",
      "new cp1: node cp2 remove",
      ...joined("new cp1", "cp2", "new cp2"),
      ...labelled("new cp1", "cp1", "cp2", "cp3"),
    ]);
    expect(output).toMatch(/warning: cp2 is not given back: .* shows another host key than the one that is known/);
    expect(readdirSync(notGivenBack())).toContainEqual(expect.stringMatching(/^cp2-/));
    await stack.succeed("preview", "--expect-no-changes");
    cp2 = next;
  });

  test("an up that fails before a healthy machine has left can be taken back: the machine stays what it was", async () => {
    const next = await site.machine("cp3", "10.0.0.15", "another cp3");
    stack.configure(config([cp1, cp2, next]));
    cp1.failNext("etcd-snapshot apply", ["!!! /var/lib/etcd has 3 MiB free", ">>> free space there, and run the command again"]);
    expect(await stack.failingUp()).toContain("/var/lib/etcd has 3 MiB free");
    expect(cluster.etcd.members).toContain("cp3 voter");

    site.journal.clear();
    stack.configure(config([cp1, cp2, cp3]));
    await stack.up();
    expect(done()).toEqual(["cp3: control-plane apply", "new cp1: uncordon cp3", ...labelled("new cp1", "cp1", "cp2", "cp3")]);
    expect(cp3.cluster).toBe(cluster);
    expect([...cp3.stages].sort()).toEqual(stages.toSorted());
    expect(next.isBare).toBe(true);
    await stack.succeed("preview", "--expect-no-changes");
  });

  test("a healthy machine leaves before another one takes its place, and an up that fails on the way goes on with it the next time", async () => {
    const leaves = cp3;
    const next = await site.machine("cp3", "10.0.0.16", "new cp3");
    cluster.etcd.lead("cp3");
    stack.configure(config([cp1, cp2, next]));
    const left = ["cp3: leave", "new cp1: etcd-snapshot apply", "new cp1: drain cp3", "new cp1: etcd-member cp3 remove"];

    cp1.failNext("etcd-member cp3 remove", ["!!! etcd still lists cp3 after its removal", ">>> run 'pulumi up' again: it looks anew"]);
    expect(await stack.failingUp()).toContain("etcd still lists cp3 after its removal");
    expect(done()).toEqual(left);
    expect(leaves.cluster).toBe(cluster);
    expect(stack.state.get("test-control-plane")?.outputs).toMatchObject({ status: "partial", leaving: [{ name: "cp3", clusterAddress: "10.0.0.13" }] });

    site.journal.clear();
    await stack.up();
    expect(done()).toEqual([
      ...left,
      "new cp1: node cp3 remove",
      "cp3: reset remove",
      ...joined("new cp1", "cp3", "new cp3"),
      ...labelled("new cp1", "cp1", "cp2", "cp3"),
    ]);
    expect(cluster.etcd.leader?.name).not.toBe("cp3");
    expect(site.journal.of("cp3").slice(-stages.length)).toEqual(removed);
    expect(site.journal.inTurn(["new cp3", "control-plane apply"], ["cp3", "names remove"])).toBe(true);
    expect(leaves.isBare).toBe(true);
    expect(stack.state.get("test-control-plane")?.outputs).toMatchObject({ status: "ok", leaving: [] });
    cp3 = next;
  });

  test("3 to 1: the members leave one by one, the leader last, and their machines are given back", async () => {
    cluster.etcd.lead("cp1");
    stack.configure(config([cp2]));
    await stack.up();
    const left = (name: string) => [
      "new cp2: etcd-snapshot apply",
      `new cp2: drain ${name}`,
      `new cp2: etcd-member ${name} remove`,
      `new cp2: node ${name} remove`,
      `new ${name}: reset remove`,
    ];
    // No machine that leaves keeps the API's address, from the first moment on.
    expect(done().slice(0, 2).sort()).toEqual(["new cp1: leave", "new cp3: leave"]);
    expect(done().slice(2, 12)).toEqual([...left("cp3"), ...left("cp1")]);
    expect(done()).toContain("new cp2: node cp2 apply");
    expect(cluster.etcd.members).toEqual(["cp2 voter"]);
    expect([...cluster.nodes]).toEqual(["cp2"]);
    expect([cp1, cp3].map(({ isBare }) => isBare)).toEqual([true, true]);
    expect(stack.state.has("cp1-claim") || stack.state.has("cp3-claim")).toBe(false);
  });
});

describe("a join that an election of etcd ends", () => {
  let machines: [ScriptedMachine, ScriptedMachine, ScriptedMachine];
  const failure = ["!!! kubeadm join failed in its phase etcd-join", ">>> run 'pulumi up' again"];

  beforeEach(async () => {
    site = new Site();
    machines = (await Promise.all(["cp1", "cp2", "cp3"].map((name, i) => site.machine(name, `10.0.0.1${i + 1}`)))) as typeof machines;
    stack = await new Stack(site).open(config(machines));
  });

  afterEach(async () => {
    stack.close();
    await site.close();
  });

  test("is begun anew in the same up, when the learner that it left is gone", async () => {
    machines[2].failForNow("promotion", failure);
    const output = await stack.up();
    expect(done()).toEqual([
      "cp1: control-plane apply",
      ...joined("cp1", "cp2"),
      ...joined("cp1", "cp3"),
      "cp1: etcd-snapshot apply",
      "cp1: etcd-member cp3 remove",
      "cp1: node cp3 remove",
      "cp3: reset remove",
      ...joined("cp1", "cp3"),
      ...labelled("cp1", "cp1", "cp2", "cp3"),
      "cp1: flannel apply",
    ]);
    expect(output).toContain("warning: cp3: kubeadm join failed in its phase etcd-join (/var/log/pulumi-kubeadm/control-plane.log); it is looked at again, cleared and tried once more");
    expect(machines[0].cluster!.etcd.members).toEqual(["cp1 voter", "cp2 voter", "cp3 voter"]);
  });

  test("and any other failure of a join ends the up, with kubeadm's words", async () => {
    machines[1].failNext("promotion", ["!!! kubeadm join failed in its phase kubelet-start", ">>> run 'pulumi up' again"]);
    expect(await stack.failingUp()).toContain("cp2: control-plane: kubeadm join failed in its phase kubelet-start");
    expect(done()).toEqual(["cp1: control-plane apply", ...joined("cp1", "cp2")]);
  });
});

// Each test stands on the one before.
describe("a cluster of one control plane and a worker, whose API has no address of its own", () => {
  let machines: [ScriptedMachine, ScriptedMachine, ScriptedMachine];
  let w1: ScriptedMachine;
  let cluster: ScriptedCluster;

  /** Settings with these control planes behind the address, and the worker. */
  const withWorker = (...controlPlanes: ScriptedMachine[]) => ({ ...config(controlPlanes), workers: [w1.settings] });

  const kubeconfig = async () => parse(await stack.succeed("stack", "output", "kubeconfig", "--show-secrets"));

  beforeAll(async () => {
    site = new Site();
    machines = (await Promise.all(["cp1", "cp2", "cp3"].map((name, i) => site.machine(name, `10.0.0.1${i + 1}`)))) as typeof machines;
    w1 = await site.machine("w1", "10.0.0.21");
    stack = await new Stack(site).open(configOf(site, [machines[0], w1]));
    await stack.up();
    cluster = machines[0].cluster!;
  });

  beforeEach(() => site.journal.clear());

  afterAll(async () => {
    stack.close();
    await site.close();
  });

  test("grows to three behind endpoint.vip: the worker learns the address and does not join again, and who has a kubeconfig needs no other certificate", async () => {
    const before = await kubeconfig();
    stack.configure(withWorker(...machines));
    await stack.up();
    expect(cluster.etcd.members).toEqual(["cp1 voter", "cp2 voter", "cp3 voter"]);
    expect(site.journal.of("w1")).toEqual(["names apply"]);
    expect(stack.state.get("w1-names")?.outputs).toMatchObject({ parameters: { endpoint: { address: "10.0.0.10" }, nodes: ["cp1", "cp2", "cp3", "w1"].map((name) => ({ name })) } });
    expect(w1.joined).toBe(cluster);

    // Nothing but the address is another one: neither CA nor client certificate.
    const [{ cluster: api, ...entry }] = before.clusters;
    expect(await kubeconfig()).toEqual({ ...before, clusters: [{ ...entry, cluster: { ...api, server: "https://10.0.0.10:6443" } }] });
    // It is not dialled by a name that came with the address, so the certificates of before will do.
    expect(cluster.apiserverNames).not.toContain("10.0.0.10");
    expect(cluster.apiserverNames).toContain(api["tls-server-name"]);
  });

  test("a machine that leaves, is silent for one look and answers at the next is taken out as one that answers", async () => {
    const [cp1, , cp3] = machines;
    // Each question is asked twice before the machine counts as silent.
    cp3.silence = { hasBegun: () => cluster.lease.holder !== "", questions: 2 };
    stack.configure(withWorker(cp1));
    await stack.up();
    expect(cp3.silence.questions).toBe(0);
    const left = ["cp3: leave", "cp1: drain cp3", "cp1: etcd-member cp3 remove", "cp1: node cp3 remove", "cp3: reset remove"];
    expect(done().filter((entry) => entry.includes("cp3")).slice(0, left.length)).toEqual(left);
    expect(cp3.isBare).toBe(true);
    expect(cluster.etcd.members).toEqual(["cp1 voter"]);
    expect([...cluster.nodes]).toEqual(["cp1", "w1"]);
  });
});

describe("destroy with two of three control planes dead", () => {
  let machines: ScriptedMachine[];

  beforeAll(async () => {
    site = new Site();
    machines = await Promise.all(["cp1", "cp2", "cp3"].map((name, i) => site.machine(name, `10.0.0.1${i + 1}`)));
    stack = await new Stack(site).open(config(machines));
  });

  afterAll(async () => {
    stack.close();
    await site.close();
  });

  test("asks no quorum: it gives back the machine that answers, and writes down the others", async () => {
    await stack.up();
    const [cp1, cp2, cp3] = machines as [ScriptedMachine, ScriptedMachine, ScriptedMachine];
    expect(cp1.cluster!.etcd.members).toEqual(["cp1 voter", "cp2 voter", "cp3 voter"]);
    await cp1.shell.stop();
    await cp2.shell.stop();
    site.journal.clear();
    const output = await stack.succeed("destroy", "--yes", "--skip-preview");
    expect(site.journal.all).toEqual(["cp3: reset remove", ...removed.map((what) => `cp3: ${what}`)]);
    expect(cp3.isBare).toBe(true);
    expect(stack.state.size).toBe(0);
    for (const { name } of [cp1, cp2]) expect(output).toMatch(new RegExp(`warning: ${name} is not given back: .* refuses the connection`));
    expect(readdirSync(join(stack.directory, "not-given-back")).sort()).toEqual([expect.stringMatching(/^cp1-/), expect.stringMatching(/^cp2-/)]);
  });
});
