import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ssh2 from "ssh2";
import { unzipSync } from "fflate";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { clientOf } from "../../kubeadm/kubeconfig.ts";
import { ClassroomProject, during } from "./classroom-project.ts";
import { makeKey } from "./root-shell.ts";
import { Site, type Held, type ScriptedMachine } from "./scripted-machine.ts";

const stages = ["claim", "logins", "kernel", "container-runtime", "kubernetes-packages", "names"];
const made = [...stages.map((stage) => `${stage} apply`), "control-plane apply"];
/** What handing out does to a student's new cluster. */
const handedOut = (id: string) => [`certificate classroom-${id}-admin`, `certificate classroom-${id}-limited`, "kubeconfig of student"];

let site: Site;
let project: ClassroomProject;
let s01: ScriptedMachine, s02: ScriptedMachine, s03: ScriptedMachine, s04: ScriptedMachine;

/** Four students, one machine each: the second is dead, the third lets nobody in. The tests follow one day of the class. */
beforeAll(async () => {
  site = new Site();
  [s01, s02, s03, s04] = (await Promise.all([1, 2, 3, 4].map((number) => site.machine(`s0${number}`, `10.0.0.1${number}`)))) as [ScriptedMachine, ScriptedMachine, ScriptedMachine, ScriptedMachine];
  project = new ClassroomProject(site);
  project.write(site.machines.map((machine) => [machine.name, machine] as const));
  await s02.shell.stop();
  s03.authorizedKey = makeKey().public;
});

afterAll(async () => {
  project.close();
  await site.close();
});

// A test that failed while it held a job would let all after it wait for that.
afterEach(() => site.machines.forEach((machine) => machine.releaseAll()));

/** What the table at the end says of a student. */
const row = (output: string, id: string) => output.slice(output.lastIndexOf("\nstudent ")).split("\n").find((line) => line.startsWith(`${id} `));

/** Waits until a job has begun. */
const begun = (held: Held, command: ReturnType<typeof project.start>) => during(command, held.begun);

/** A file of what was handed out. */
const handout = (path: string) => readFileSync(join(project.directory, ".classroom/cka/handout", path));

/** Whether a student who has this key gets into a machine. */
function opens(key: Buffer, { shell }: ScriptedMachine, username = "student"): Promise<boolean> {
  const client = new ssh2.Client();
  return new Promise<boolean>((resolve) => {
    client.on("ready", () => resolve(true)).on("error", () => resolve(false));
    client.connect({ host: "127.0.0.1", port: shell.port, username, privateKey: key });
  }).finally(() => client.end());
}

/** The certificate in a kubeconfig. */
const certificateIn = (kubeconfig: Buffer) => new X509Certificate(clientOf(String(kubeconfig))!.certificate);

async function stacks(): Promise<{ name: string; current: boolean }[]> {
  return JSON.parse((await project.pulumi("stack", "ls", "--json")).output);
}

describe("a class of four, one machine dead and one with a wrong key", () => {
  test("check tells both at once, each with its line, and changes nothing", async () => {
    const { exitCode, output } = await project.run("check");
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(/^roster\.csv:3: s02: .* refuses the connection/m);
    expect(output).toMatch(/^roster\.csv:4: s03: .* refused every key/m);
    expect(output).toContain("2 of 4 students can be built. Not yet: s02, s03.");
    expect(site.journal.all).toEqual([]);
  });

  test("check tells what is wrong with class file, roster and machines at once; up tells both files' and touches nothing", async () => {
    const seats = site.machines.map((machine) => [machine.name, machine] as const);
    project.write([...seats, ["S05", s01]], { language: "kr" });
    const inFiles = /^3 faults in class\.yaml and roster\.csv; nothing was touched:\nclass\.yaml:\d+: language: must be en or ko\nroster\.csv:6:1: S05 cannot be .*\nroster\.csv:6:3: 127\.0\.0\.1:\d+ is s01's already \(line 2\).*\n/;
    const check = await project.run("check");
    expect(check.exitCode, check.output).toBe(1);
    expect(check.output).toMatch(inFiles);
    expect(check.output).toContain("Lines without a fault: 4 students. Looking at 4 machines.");
    expect(check.output).toMatch(/^roster\.csv:3: s02: .* refuses the connection/m);
    expect(check.output).toMatch(/^roster\.csv:4: s03: .* refused every key/m);
    expect(check.output).not.toMatch(/^roster\.csv:[25]: /m);
    expect(check.output).toMatch(/run `classroom check` again\. No other command begins while a file has a fault\.$/);
    const up = await project.run("up");
    expect(up.exitCode, up.output).toBe(1);
    expect(up.output).toMatch(inFiles);
    expect(up.output).toMatch(/\nNext: correct them .* and run the command again\.$/);
    expect(site.journal.all).toEqual([]);
    project.write(seats);
  });

  test("what is wrong with Pulumi itself is met once, and nobody else is begun", async () => {
    const { PULUMI_CONFIG_PASSPHRASE: passphrase, ...others } = project.environment;
    project.environment = others;
    const { exitCode, output } = await project.run("up", "s01", "s04", "--parallel", "1");
    project.environment = { ...others, PULUMI_CONFIG_PASSPHRASE: passphrase! };
    expect(exitCode, output).toBe(1);
    // Whoever answers first is begun.
    const told = output.slice(output.lastIndexOf("\nstudent ")).match(/^s0[14]: (not begun: )?.*PULUMI_CONFIG_PASSPHRASE/gm)!;
    expect(told.map((line) => line.includes("not begun: ")).sort(), output).toEqual([false, true]);
    expect(site.journal.all).toEqual([]);
  });

  test("up makes the other two at the same time, tries the dead one twice, and says what is wrong", async () => {
    // Each waits for the other: students that are made in turn would never get further.
    const held = [s01, s04].map((machine) => machine.hold("kernel apply"));
    const up = project.start(["up"]);
    await Promise.all(held.map((one) => begun(one, up)));
    held.forEach(({ release }) => release());
    const { exitCode, all: output } = await up;
    expect(exitCode, output).toBe(1);
    expect(row(output, "s01")).toMatch(/학생 s01 .* ready +\d/);
    expect(row(output, "s02")).toMatch(/NOT READY/);
    expect(row(output, "s03")).toMatch(/NOT READY/);
    expect(row(output, "s04")).toMatch(/ ready /);
    expect(output).toMatch(/line 3: .* refuses the connection .*; is tried once more when the others are done/);
    expect(output).toMatch(/^s03: line 4: .* refused every key that was tried: .*\n {2}Next: put the public part/m);
    expect(output).toMatch(/2 of 4 ready after .*\nNext: .*classroom up --only failed/);
    expect(output).toContain("Handed out to 2 of 2. .classroom/cka/handout/<student>.zip for each");
    for (const name of ["s01", "s04"]) expect(site.journal.of(name)).toEqual(expect.arrayContaining(made));
    for (const name of ["s02", "s03"]) expect(site.journal.of(name)).toEqual([]);
  });

  test("status tells once what up failed of and is seen still", async () => {
    const { output } = await project.run("status");
    expect(output.match(/refuses the connection/g), output).toHaveLength(1);
    expect(output.match(/refused every key/g), output).toHaveLength(1);
    expect(output).toContain("2 of 4 ready.");
  });

  test("who is ready has a key, kubeconfigs, a card and a zip; the others have nothing", () => {
    expect(readdirSync(join(project.directory, ".classroom/cka/handout"))).toEqual(["instructor.html", "instructor.pdf", "s01", "s01.json", "s01.zip", "s04", "s04.json", "s04.zip"]);
    const names = ["README.md", "admin.kubeconfig", "card.html", "card.pdf", "config", "key", "known_hosts", "limited.kubeconfig"];
    expect(readdirSync(join(project.directory, ".classroom/cka/handout/s01"))).toEqual(names);
    expect(Object.keys(unzipSync(handout("s01.zip"))).sort()).toEqual(names.map((name) => `cka-s01/${name}`));
    expect(String(handout("s01/known_hosts"))).toBe(`[127.0.0.1]:${s01.shell.port} ${s01.shell.hostKey}\n`);
    expect(String(handout("instructor.html"))).toContain("not handed out");
  });

  test("a student's key, kubeconfigs and card open the own machine and nobody else's", async () => {
    for (const [own, other] of [[s01, s04], [s04, s01]] as const) {
      const key = handout(`${own.name}/key`);
      expect(await opens(key, own)).toBe(true);
      expect(await opens(key, other)).toBe(false);
      expect(await opens(key, own, "ops")).toBe(false);
      for (const kind of ["admin", "limited"]) {
        const certificate = certificateIn(handout(`${own.name}/${kind}.kubeconfig`));
        expect(certificate.verify(new X509Certificate(own.cluster!.caCert).publicKey)).toBe(true);
        expect(certificate.verify(new X509Certificate(other.cluster!.caCert).publicKey)).toBe(false);
        expect(certificate.subject).toBe(`O=classroom:${kind === "admin" ? "admins" : "viewers"}\nCN=${own.name}-${kind}`);
      }
      const card = String(handout(`${own.name}/card.html`));
      expect(card).toContain(`-p ${own.shell.port} student@127.0.0.1`);
      for (const secret of [String(key), clientOf(String(handout(`${own.name}/admin.kubeconfig`)))!.key]) {
        for (const line of secret.split("\n").filter((text) => text.length > 20)) expect(card).not.toContain(line);
      }
      expect(card).not.toContain(String(other.shell.port));
    }
  });

  test("on the machine the student's kubectl is set up, with the API's name and the student's own certificate", () => {
    const own = clientOf(s01.kubeconfigs.get("student")!)!;
    expect(own.certificate).toBe(clientOf(String(handout("s01/admin.kubeconfig")))!.certificate);
    expect(s01.kubeconfigs.get("student")).toContain("server: https://kubernetes-api.internal:6443\n");
    expect(s01.cluster!.accessObjects).toContain("classroom:viewers");
  });

  test("handing out again keeps what is good, and puts back what the student has lost", async () => {
    site.journal.clear();
    const before = handout("s01/admin.kubeconfig");
    s01.kubeconfigs.clear();
    const again = await project.run("handout", "s01", "s02");
    expect(again.exitCode, again.output).toBe(1);
    expect(again.output).toMatch(/^s02: not handed out: .* refuses the connection .*\n {2}Next: .*classroom handout s02/m);
    expect(again.output).toContain("Handed out to 1 of 2.");
    expect(site.journal.of("s01")).toEqual(["kubeconfig of student"]);
    expect(handout("s01/admin.kubeconfig")).toEqual(before);
    expect(s01.kubeconfigs.has("student")).toBe(true);
  });

  test("the instructor gets in, whatever became of the own ~/.ssh", async () => {
    s01.authorizedKey = makeKey().public;
    expect((await project.run("check", "s01")).output).toContain("Every machine is in order.");
    s01.authorizedKey = site.key.public;
  });

  test("each stack can be handled with the plain CLI, and none of them is left selected", async () => {
    expect((await stacks()).map(({ name, current }) => [name, current])).toEqual([["cka-s01", false], ["cka-s04", false]]);
    const again = await project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "cka-s01");
    expect(again.exitCode, again.output).toBe(0);
    expect((await project.pulumi("stack", "output", "endpoint", "--stack", "cka-s01")).output).toContain("kubernetes-api.internal:6443");
  });

  test("what is written beside the class file is the operator's only, and holds no secret", () => {
    const directory = join(project.directory, ".classroom/cka");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      expect(statSync(path).mode & 0o777, path).toBe(entry.isDirectory() ? 0o700 : 0o600);
    }
    for (const file of readdirSync(directory).filter((name) => name.includes("."))) {
      expect(project.journal(file)).not.toContain(s01.cluster!.adminKey);
      expect(project.journal(file)).not.toContain("PRIVATE KEY");
    }
    expect(project.journal("s01.log")).toContain("Updating (cka-s01)");
    expect(JSON.parse(project.journal("s02.json"))).toMatchObject({ command: "up", ok: false, kind: "unreachable", problem: expect.stringContaining("refuses the connection") });
  });

  test("Ctrl-C lets the step that runs come to its end and begins no other student", async () => {
    await s02.shell.start();
    s03.authorizedKey = site.key.public;
    site.journal.clear();
    const held = s02.hold("kernel apply");
    const { promise, resolve: answer } = Promise.withResolvers<void>();
    s03.answersAfter = promise;
    // By their ids: `--only failed` would first glance at all, and wait for s03 as long as it waits for any machine.
    const up = project.startInTerminal(["up", "s02", "s03", "--parallel", "1"]);
    await begun(held, up);
    answer();
    process.kill(-up.pid!, "SIGINT");
    await expect.poll(() => project.said(up), { timeout: 20_000 }).toContain("Stopping: no further student is begun.");
    held.release();
    const { exitCode, all: output } = await up;
    expect(exitCode, output).toBe(130);
    expect(output).toMatch(/^s02: stopped on request/m);
    expect(output).toMatch(/^s03: not begun: stopped on request/m);
    expect(site.journal.all).toEqual(["s02: claim apply", "s02: logins apply", "s02: kernel apply"]);
  });

  test("a run that was killed is taken up where it is, its lock taken away with a word", async () => {
    site.journal.clear();
    const held = s02.hold("container-runtime apply");
    const killed = project.startInTerminal(["up", "s02"]);
    const job = await begun(held, killed);
    process.kill(-killed.pid!, "SIGKILL");
    await killed;

    const followers = job!.followers;
    const up = project.start(["up", "s02"]);
    await during(up, vi.waitUntil(() => job!.followers > followers, { timeout: 60_000 }));
    held.release();
    const { exitCode, all: output } = await up;
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/s02 .*taking away the lock of a pulumi that was killed \(process \d+/);
    expect(site.journal.of("s02").filter((what) => what === "container-runtime apply")).toHaveLength(1);
    expect(s02.cluster!.nodes.has("s02")).toBe(true);
  });

  test("one is reset while another goes on; the machine keeps its stages", async () => {
    site.journal.clear();
    const before = s01.cluster!;
    const [key, kubeconfig] = [handout("s01/key"), handout("s01/admin.kubeconfig")];
    const held = s03.hold("kernel apply");
    const up = project.start(["up", "--only", "failed"]);
    await begun(held, up);

    const refused = await project.run("reset", "s01");
    expect(refused.output).toMatch(/lost: everything in the cluster .*\n {2}kept: the cluster's CA: kubeconfigs that were handed out stay valid .*\n {2}takes .*\n.*Nothing was done/);
    const reset = await project.run("reset", "s01", "--yes");
    expect(reset.exitCode, reset.output).toBe(0);
    expect(site.journal.of("s01").slice(0, 2)).toEqual(["reset remove", "control-plane apply"]);
    expect(site.journal.of("s01").slice(2).toSorted()).toEqual(["flannel apply", "kubeconfig of student", "node s01 apply"]);
    expect(s01.cluster).not.toBe(before);
    expect(s01.cluster!.caCert).toBe(before.caCert);
    expect(site.journal.of("s03")).toEqual(["claim apply", "logins apply", "kernel apply"]);
    // The certificates are good for the new cluster, whose rights are given anew.
    expect([handout("s01/key"), handout("s01/admin.kubeconfig")]).toEqual([key, kubeconfig]);
    expect(s01.cluster!.accessObjects).toContain("classroom:admins");
    expect((await project.run("status")).output).toMatch(/^s03 .*working/m);
    const busy = await project.run("reset", "s03", "--yes");
    expect(busy.exitCode).toBe(1);
    expect(busy.output).toMatch(/another `classroom up` works on it \(process \d+/);

    held.release();
    const { exitCode, all: output } = await up;
    expect(exitCode, output).toBe(0);
    const status = await project.run("status");
    expect(status.output).toContain("4 of 4 ready.");
    expect(status.exitCode).toBe(0);
    expect((await project.run("check")).output).toContain("Every machine is in order.");
  });

  test("after a reset the engine's memory is true: neither up nor refresh finds a change", async () => {
    for (const command of ["up", "refresh"]) {
      const { exitCode, output } = await project.pulumi(command, "--yes", "--skip-preview", "--expect-no-changes", "--stack", "cka-s01");
      expect(exitCode, output).toBe(0);
    }
  });

  test("a reset that was killed while it took the cluster away is gone on with by the next one, and by pulumi up", async () => {
    const { caCert } = s01.cluster!;
    for (const goOn of [() => project.run("reset", "s01", "--yes"), () => project.pulumi("up", "--yes", "--skip-preview", "--stack", "cka-s01")]) {
      const held = s01.hold("reset remove");
      const killed = project.startInTerminal(["reset", "s01", "--yes"]);
      await begun(held, killed);
      process.kill(-killed.pid!, "SIGKILL");
      await killed;
      held.release();
      await expect.poll(() => s01.cluster).toBeUndefined();
      const { exitCode, output } = await goOn();
      expect(exitCode, output).toBe(0);
      expect(s01.cluster!.caCert).toBe(caCert);
    }
  });

  test("a reset that was killed in kubeadm init ends on the machine, and pulumi up does what is missing", async () => {
    const held = s01.hold("control-plane apply");
    const killed = project.startInTerminal(["reset", "s01", "--yes"]);
    await begun(held, killed);
    process.kill(-killed.pid!, "SIGKILL");
    await killed;
    held.release();
    await expect.poll(() => s01.cluster).toBeDefined();
    expect((await project.run("status", "s01")).output).toMatch(/^s01 .*NOT FINISHED/m);
    site.journal.clear();
    const { exitCode, output } = await project.pulumi("up", "--yes", "--skip-preview", "--stack", "cka-s01");
    expect(exitCode, output).toBe(0);
    expect(site.journal.of("s01")).toEqual(["flannel apply"]);
    expect((await project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "cka-s01")).exitCode).toBe(0);
  });

  test("a reset makes a new CA when that is asked for, or when the old one is not there any more, and says so", async () => {
    const { caCert } = s01.cluster!;
    const asked = await project.run("reset", "s01", "--yes", "--new-ca");
    expect(asked.exitCode, asked.output).toBe(0);
    expect(asked.output).toMatch(/lost: .* and the cluster's CA: every kubeconfig that was handed out opens nothing any more/);
    expect(s01.cluster!.caCert).not.toBe(caCert);
    expect(certificateIn(handout("s01/admin.kubeconfig")).verify(new X509Certificate(s01.cluster!.caCert).publicKey)).toBe(true);
    expect(clientOf(s01.kubeconfigs.get("student")!)!.ca).toBe(clientOf(String(handout("s01/admin.kubeconfig")))!.ca);
    s01.keysAreThere = false;
    const lost = await project.run("reset", "s01", "--yes");
    expect(lost.exitCode, lost.output).toBe(0);
    expect(lost.output).toMatch(/and the cluster's CA \(the keys of the cluster's CA are not on its control plane any more\)/);
  });

  test("a node that is not Ready: status says so, and up --only failed takes that student and no other", async () => {
    s04.cluster!.notReady.add("s04");
    s04.drift.set("kernel", ["net.ipv4.ip_forward is 0, wanted 1"]);
    site.journal.clear();
    const status = await project.run("status");
    expect(status.exitCode, status.output).toBe(1);
    expect(status.output).toMatch(/^s04 +NOT READY +0\/1 /m);
    expect(status.output).toMatch(/^s04: node s04 is NotReady\n {2}Next: /m);
    expect(status.output).toContain("3 of 4 ready.");
    expect(site.journal.all).toEqual([]);

    // What somebody changed on the machine is put right. That is not what the node lacks, and nobody is told that it is ready.
    const up = await project.run("up", "--only", "failed");
    expect(up.exitCode, up.output).toBe(1);
    expect(up.output).toMatch(/^s04: made, and not ready: node s04 is NotReady/m);
    expect(site.journal.all).toEqual(["s04: kernel apply"]);

    s04.cluster!.notReady.clear();
    expect((await project.run("status")).output).toContain("4 of 4 ready.");
    expect((await project.run("up", "--only", "failed")).output).toContain("Every student's cluster is ready.");
  });

  test("a machine that was installed anew is another one, until the roster names its host key", async () => {
    site.journal.clear();
    await s04.shell.stop();
    const anew = await site.machine("s04", s04.clusterAddress, "new s04", s04.shell.port);
    const seats = [s01, s02, s03, anew].map((machine) => [machine.name, machine] as const);
    for (const command of ["check", "up"]) {
      const { exitCode, output } = await project.run(command, "s04");
      expect(exitCode, output).toBe(1);
      expect(output).toMatch(/shows another host key than the one that is known/);
      expect(output).toMatch(new RegExp(`write SHA256:\\S{43} into the column hostkey of the roster, line 5`));
    }
    expect(site.journal.all).toEqual([]);

    project.write(seats, { hostKeys: { s04: anew.shell.hostKey } });
    const up = await project.run("up", "s04");
    expect(up.exitCode, up.output).toBe(0);
    expect(up.output).toMatch(/s04 was installed anew: what is left of the old cluster is given back, and a new one is made/);
    expect(site.journal.of("new s04")).toEqual(expect.arrayContaining(made));
    expect(existsSync(join(project.directory, "not-given-back"))).toBe(false);
    expect((await project.run("check", "s04")).output).toContain("Every machine is in order.");
    s04 = anew;
  });

  test("reset --bare gives the machine back first", async () => {
    site.journal.clear();
    const reset = await project.run("reset", "s02", "--yes", "--bare");
    expect(reset.exitCode, reset.output).toBe(0);
    expect(site.journal.of("s02")).toEqual(["reset remove", ...stages.toReversed().map((stage) => `${stage} remove`), ...made, "node s02 apply", "flannel apply", ...handedOut("s02")]);
  });

  test("down gives back all that answer, with a proof for each, and the dead one later", async () => {
    await s04.shell.stop();
    s02.things = ["file /etc/cni/net.d/10-calico.conflist f 644 root:root 1122334455667788", "package jq 1.7 ii"];
    s01.things = ["home /home/ops/lesson.yaml f 644 ops:ops"];
    const down = await project.run("down", "--yes");
    expect(down.exitCode, down.output).toBe(1);
    expect(row(down.output, "s01")).toMatch(/as before$/);
    expect(row(down.output, "s02")).toMatch(/DIFFERS$/);
    expect(row(down.output, "s03")).toMatch(/as before$/);
    expect(row(down.output, "s04")).toMatch(/NOT GIVEN BACK$/);
    expect(down.output).toContain(
      "s02: given back, and is not as before\n  of a cluster: new file: /etc/cni/net.d/10-calico.conflist\n  not of a cluster: new package: jq 1.7\n  Next: put it right by hand and run `classroom down s02` again",
    );
    expect(down.output).toMatch(/s04: .* refuses the connection/);
    expect(down.output).toContain("4 machines: 2 as before, 1 differs, 1 not given back.");
    expect([s01, s02, s03].map(({ isBare }) => isBare)).toEqual([true, true, true]);
    expect(existsSync(join(project.directory, "not-given-back"))).toBe(true);
    expect(await stacks()).toEqual([]);
    expect(down.output).toMatch(/^s04: what was handed out is not void: the key .*\/keys\/s04 still opens 127\.0\.0\.1, and the kubeconfigs in .*\/handout\/s04 open its cluster until /m);
    expect(readdirSync(join(project.directory, ".classroom/cka/handout"))).toEqual(["instructor.html", "instructor.pdf", "s04", "s04.json", "s04.zip"]);
    expect(readdirSync(join(project.directory, ".classroom/cka/keys"))).toEqual(["s04"]);
    expect(JSON.parse(project.journal("given-back.report.json")).machines).toMatchObject([
      { student: "s01", verdict: "as-before", left: ["new file in a home directory: /home/ops/lesson.yaml"] },
      { student: "s02", verdict: "differs" },
      { student: "s03", verdict: "as-before" },
      { student: "s04", verdict: "not-given-back" },
    ]);

    const differs = await project.run("down", "--yes", "s02");
    expect(differs.exitCode, differs.output).toBe(1);
    expect(differs.output).toContain("1 machine: 1 differs.");
    s02.things = [];
    const corrected = await project.run("down", "--yes", "s02");
    expect(corrected.exitCode, corrected.output).toBe(0);
    expect(row(corrected.output, "s02")).toMatch(/as before$/);

    await s04.shell.start();
    const later = await project.run("down", "--yes", "s04");
    expect(later.exitCode, later.output).toBe(0);
    expect(row(later.output, "s04")).toMatch(/as before$/);
    expect(s04.isBare).toBe(true);
    expect(existsSync(join(project.directory, "not-given-back"))).toBe(false);
    expect(project.journal("given-back.report.html")).toMatch(/4 machines: 4 as before\./);
    for (const left of ["handout", "keys"]) expect(existsSync(join(project.directory, ".classroom/cka", left)), left).toBe(false);
  });

  test("down once more tells what was found before, and when, and takes no proof back", async () => {
    const report = () => JSON.parse(project.journal("given-back.report.json"));
    const before = report();
    const again = await project.run("down", "--yes");
    expect(again.exitCode, again.output).toBe(0);
    for (const id of ["s01", "s02", "s03", "s04"]) expect(row(again.output, id)).toMatch(/ as before \(\d{4}-\d\d-\d\d \d\d:\d\d\)$/);
    expect(again.output).toContain("4 machines: 4 as before.");
    expect(report()).toEqual(before);
  });
});
