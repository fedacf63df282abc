import { X509Certificate } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import type { Tile } from "../../classroom/board/tile.ts";
import { ko } from "../../classroom/words/ko.ts";
import * as lab from "../../lab/api.ts";
import { clusterConfig } from "../../lab/cluster.ts";
import { machineNamed } from "../../lab/machines.ts";
import { openProject, projectDirectory, type LabProject } from "../../lab/pulumi.ts";
import { prepareSite, serveSite } from "../../lab/site.ts";
import { ssh } from "../../lab/api.ts";
import { sudo } from "../lab/machine.ts";

// A class of four students with one machine each, from the roster to the evening. The second machine is dead, the third lets nobody in. The
// tests are the chapters of one day.
const seats = { s01: "cp1", s02: "cp2", s03: "cp3", s04: "cp4" };
const ready = ["s01", "s04"] as const;

const ends = new Date(Date.now() + 3 * 86_400_000).toISOString().replace(/\.\d+Z$/, "Z");

let home: string;
let directory: string;
let project: LabProject;

const classroom = (...args: readonly string[]) => project.run("node", ["classroom/main.ts", ...args], directory);

/** What the table at the end says of a student. */
const row = (output: string, id: string) => output.slice(output.lastIndexOf("\nstudent ")).split("\n").find((line) => line.startsWith(`${id} `));

const kubectl = (machine: string, command: string) => sudo(machine, `kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=20s ${command}`);

/** The tiles of the board as its stream has told them last, by student. */
function tilesIn(stream: string): Record<string, Tile> {
  const told = [...stream.matchAll(/^event: (everything|tile)\ndata: (.*)\n\n/gm)].flatMap(([, event, data]): Tile[] => {
    const value = JSON.parse(data!) as Tile & { tiles: Tile[] };
    return event === "tile" ? [value] : value.tiles;
  });
  return Object.fromEntries(told.map((tile) => [tile.id, tile]));
}

/** What of keys and kubeconfigs is secret, or is a part of it: every long text that is no word. */
const longTextsIn = (file: string): string[] => file.match(/[A-Za-z0-9+/=]{40,}/g)!;

/** Seconds that a command on the machine took, by the line that its job wrote at its end. */
async function secondsOf(machine: string, stage: string, kubeadm: string): Promise<number> {
  const { stdout } = await sudo(machine, `cat /var/log/pulumi-kubeadm/${stage}.log`);
  const found = [...stdout.matchAll(new RegExp(`^--- .* ${kubeadm} .*: exit 0 after ([0-9.]+) s$`, "gm"))];
  return Number(found.at(-1)![1]);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-class-"));
  directory = join(home, "project");
  await lab.down();
  const site = await prepareSite({ silent: true });
  await serveSite(site);
  await lab.up(["cp1", "cp3", "cp4"]);
  await ssh(machineNamed("cp3"), "rm ~/.ssh/authorized_keys");

  mkdirSync(directory);
  cpSync(projectDirectory, directory, { recursive: true, filter: (path) => !/\/(node_modules|\.git)(\/|$)/.test(path) });
  symlinkSync(join(projectDirectory, "node_modules"), join(directory, "node_modules"));
  const { controlPlanes: _, ...shared } = clusterConfig({ controlPlanes: ["cp1"], workers: [] }, site.www);
  writeFileSync(join(directory, "class.yaml"), stringify({ name: "cka", language: "ko", ends, cluster: { ...shared, ssh: { ...(shared.ssh as object), connectTimeoutSeconds: 15 } } }));
  const rows = Object.entries(seats).map(([id, machine]) => `${id};학생 ${id};${machineNamed(machine).address}`);
  writeFileSync(join(directory, "roster.csv"), ["student;name;machines", ...rows].join("\r\n"));
  project = openProject(home, site.tools);
});

afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await lab.down();
});

describe("a class of four on real machines, one of them dead and one with a wrong key", () => {
  test("check tells both, and up makes the other two", async () => {
    const check = await classroom("check");
    expect(check.exitCode, check.output).toBe(1);
    expect(check.output).toMatch(/^roster\.csv:3: s02: /m);
    expect(check.output).toMatch(/^roster\.csv:4: s03: .* refused every key/m);

    const up = await classroom("up");
    console.log(`${check.output}\n\n${up.output}`);
    expect(up.exitCode, up.output).toBe(1);
    for (const id of ready) expect(row(up.output, id)).toContain(" ready ");
    for (const id of ["s02", "s03"]) expect(row(up.output, id)).toContain("NOT READY");
    for (const id of ready) expect((await kubectl(seats[id], "get nodes --no-headers")).stdout).toMatch(new RegExp(`^${id} +Ready `));
  });

  test("status tells who is ready, and what is wrong with the rest", async () => {
    const { exitCode, output } = await classroom("status");
    console.log(output);
    expect(exitCode, output).toBe(1);
    expect(output).toContain("2 of 4 ready");
  });

  test("board tells the same, live, and nothing that somebody who reads along could use", async () => {
    const board = project.start("node", ["classroom/main.ts", "board", "--port", "0"], directory);
    const heard: Buffer[] = [];
    try {
      let said = "";
      board.all.on("data", (chunk: Buffer) => (said += String(chunk)));
      await expect.poll(() => said, { timeout: 120_000 }).toContain("Ctrl-C ends it");
      const url = /http:\S+/.exec(said)![0];
      // It is served inside the lab's network, where this process is not.
      const read = (path: string) => project.start("node", ["-e", "fetch(process.argv[1]).then(async ({ body }) => { for await (const chunk of body) process.stdout.write(chunk); })", new URL(path, url).href]);
      const files = await Promise.all(["", "board.css", "board.js"].map((path) => read(path)));
      for (const { exitCode, all } of files) expect(exitCode, all).toBe(0);

      // A viewer who stays: the board looks at the machines for one only.
      read("events").all.on("data", (chunk: Buffer) => heard.push(chunk));
      const stream = () => Buffer.concat(heard).toString();
      const good = { state: "ready", word: ko.states.ready, facts: expect.arrayContaining([{ label: ko.nodes, value: "1/1", bad: false }]) };
      const bad = (kind: "unreachable" | "refused", machine: string) => ({ state: "unreachable", problem: ko.sentence({ kind, machine, said: "", next: "" }, machine).problem });
      await expect
        .poll(() => tilesIn(stream()), { timeout: 300_000, interval: 1000 })
        .toMatchObject({ s01: good, s02: bad("unreachable", "s02"), s03: bad("refused", "s03"), s04: good });
      console.log(JSON.stringify(tilesIn(stream()), undefined, 2));

      const served = [...files.map(({ all }) => all), stream()].join("\n");
      const given = ready.flatMap((id) => ["key", "admin.kubeconfig", "limited.kubeconfig"].map((file) => readFileSync(join(directory, ".classroom/cka/handout", id, file), "utf8")));
      const admins = await Promise.all(ready.map(async (id) => (await sudo(seats[id], "cat /etc/kubernetes/admin.conf")).stdout));
      const own = readFileSync(lab.sshTarget(seats.s01).keyPath, "utf8");
      const secrets = ["PRIVATE KEY", "CERTIFICATE", "client-key-data", "SHA256:", ...[...given, ...admins, own].flatMap(longTextsIn), ...Object.values(seats).map((name) => machineNamed(name).address)];
      for (const secret of secrets) expect(served, secret).not.toContain(secret);
      // Bootstrap tokens, and tokens of service accounts.
      expect(stream()).not.toMatch(/\b[a-z0-9]{6}\.[a-z0-9]{16}\b|eyJ/);
    } finally {
      board.kill("SIGINT");
    }
    const { exitCode, all } = await board;
    expect(exitCode, all).toBe(0);
  });

  test("what a student is given opens the own machine and the own cluster, and nobody else's", async () => {
    /** In the folder that the student was given, with the files that are there. */
    const asStudent = (id: string, where: readonly string[], command: string, inputFile?: string) =>
      execa("ip", ["netns", "exec", lab.namespace, "ssh", "-F", "config", "-o", "BatchMode=yes", ...where, command], {
        cwd: join(directory, ".classroom/cka/handout", id),
        reject: false,
        all: true,
        ...(inputFile ? { inputFile: join(directory, ".classroom/cka/handout", id, inputFile) } : { stdin: "ignore" }),
      });
    for (const id of ready) {
      const nodes = await asStudent(id, [id], "kubectl get nodes --no-headers && sudo -n id -u");
      expect(nodes.exitCode, nodes.all).toBe(0);
      expect(nodes.stdout).toMatch(new RegExp(`^${id} +Ready [^]*\\n0$`));
    }
    const others = await asStudent("s01", ["-o", "StrictHostKeyChecking=no", machineNamed(seats.s04).address], "true");
    expect(others.all).toContain("Permission denied (publickey");
    const limited = (command: string) => asStudent("s01", ["s01"], `cat > limited && kubectl --kubeconfig limited ${command}; status=$?; rm limited; exit $status`, "limited.kubeconfig");
    const pods = await limited("get pods --all-namespaces");
    expect(pods.exitCode, pods.all).toBe(0);
    const refused = await limited("create namespace mine");
    expect(refused.all).toContain("cannot create resource");
  });

  test("kubectl's arguments are completed, and the certificate ends when the class does", async () => {
    const completion = await sudo(seats.s01, "runuser -l student -c 'bash -ic \"_completion_loader kubectl; complete -p kubectl\"'");
    expect(completion.stdout, completion.stderr).toContain("-F __start_kubectl kubectl");
    const { users } = parse(readFileSync(join(directory, ".classroom/cka/handout/s01/admin.kubeconfig"), "utf8"));
    const certificate = new X509Certificate(Buffer.from(users[0].user["client-certificate-data"], "base64"));
    // What `ends` of the class file says; the cluster's own clock may round.
    expect(Math.abs(Date.parse(certificate.validTo) - Date.parse(ends)) / 60_000).toBeLessThan(10);
  });

  test("the instructor gets in when a student has removed the instructor's ~/.ssh", async () => {
    await sudo(seats.s01, "mv /home/ops/.ssh /home/ops/.ssh-away");
    const { exitCode, output } = await classroom("check", "s01");
    expect(exitCode, output).toBe(0);
    expect((await sudo(seats.s01, "mv /home/ops/.ssh-away /home/ops/.ssh")).exitCode).toBe(0);
  });

  test("a reset makes the cluster anew with the CA that it had", async () => {
    const { cp1 } = { cp1: seats.s01 };
    const before = (await sudo(cp1, "sha256sum < /etc/kubernetes/pki/ca.crt")).stdout;
    await kubectl(cp1, "create namespace lesson");
    const reset = await classroom("reset", "s01", "--yes");
    console.log(reset.output);
    expect(reset.exitCode, reset.output).toBe(0);
    expect((await sudo(cp1, "sha256sum < /etc/kubernetes/pki/ca.crt")).stdout).toBe(before);
    expect((await kubectl(cp1, "get namespace lesson")).exitCode).not.toBe(0);
    expect((await kubectl(cp1, "get nodes --no-headers")).stdout).toMatch(/^s01 +Ready /);
    console.log(`kubeadm init of the reset: ${await secondsOf(cp1, "control-plane", "control-plane apply")} s`);
    const again = await project.run("pulumi", ["up", "--yes", "--skip-preview", "--expect-no-changes", "--non-interactive", "--stack", "cka-s01"], directory);
    expect(again.exitCode, again.output).toBe(0);
  });

  test("one goes back to bare and is built again while another one is reset", async () => {
    const ca = async (id: keyof typeof seats) => (await sudo(seats[id], "sha256sum < /etc/kubernetes/pki/ca.crt")).stdout;
    const before = { s01: await ca("s01"), s04: await ca("s04") };
    const [bare, reset] = await Promise.all([classroom("reset", "s01", "--bare", "--yes"), classroom("reset", "s04", "--yes")]);
    expect(bare.exitCode, bare.output).toBe(0);
    expect(reset.exitCode, reset.output).toBe(0);
    expect(await ca("s01")).not.toBe(before.s01);
    expect(await ca("s04")).toBe(before.s04);
    for (const id of ready) expect((await kubectl(seats[id], "get nodes --no-headers")).stdout).toMatch(new RegExp(`^${id} +Ready `));
  });

  test("down gives back what answers and proves it, voids what was handed out, and is held up by nobody", async () => {
    const kept = join(home, "kept");
    cpSync(join(directory, ".classroom/cka/handout/s01"), kept, { recursive: true });
    await lab.powerOff(seats.s04, { hard: true });
    const down = await classroom("down", "--yes");
    console.log(down.output);
    expect(down.exitCode, down.output).toBe(1);
    expect(row(down.output, "s01")).toMatch(/as before$/);
    expect(row(down.output, "s04")).toContain("NOT GIVEN BACK");
    expect((await sudo(seats.s01, "test -e /var/lib/pulumi-kubeadm || command -v kubeadm")).exitCode).not.toBe(0);
    expect(existsSync(join(directory, ".classroom/cka/handout/s01"))).toBe(false);
    const { all } = await execa("ip", ["netns", "exec", lab.namespace, "ssh", "-F", "config", "-o", "BatchMode=yes", "s01", "true"], { cwd: kept, reject: false, all: true, stdin: "ignore" });
    expect(all).toContain("Permission denied (publickey");

    await lab.powerOn(seats.s04);
    const later = await classroom("down", "--yes", "s04");
    console.log(later.output);
    expect(row(later.output, "s04")).toMatch(/as before$/);
  });
});
