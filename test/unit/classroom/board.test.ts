import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pageOf } from "../../../classroom/board/page.ts";
import { publicTextOf } from "../../../classroom/board/public-text.ts";
import { isOwnHost } from "../../../classroom/board/server.ts";
import { blankTile, tileOf } from "../../../classroom/board/tile.ts";
import { Watch } from "../../../classroom/board/watch.ts";
import { parseClass, type ClassSettings } from "../../../classroom/class-file.ts";
import type { Glance } from "../../../classroom/glance.ts";
import type { Entry } from "../../../classroom/journal.ts";
import type { Problem } from "../../../classroom/problem.ts";
import type { Student } from "../../../classroom/roster.ts";
import type { StudentStatus } from "../../../classroom/status.ts";
import { words } from "../../../classroom/words.ts";

const klass: ClassSettings = {
  ...parseClass("name: cka", "class.yaml").klass!,
  instructorKeyPath: "keys/teacher.pub",
  cluster: { ssh: { user: "gardener", privateKeyPath: "~/.ssh/class", sudoPasswordEnv: "CLASS_SUDO", bastion: { host: "gate.bank.example", user: "doorman" } } },
};
const student: Student = { id: "s07", name: "홍길동", machines: [{ host: "vm7.bank.example", user: "pupil", clusterAddress: "10.0.0.7" }], line: 8 };
const publicText = publicTextOf(klass, [student]);

describe("what a whole room may read", () => {
  test.each([
    ["gardener@192.0.2.7:22 refused every key", "… refused every key"],
    ["vm7.bank.example does not answer", "… does not answer"],
    ["through the bastion doorman@gate.bank.example:22", "through the bastion …"],
    ["through gate.bank.example as doorman", "through … as …"],
    ["the variable CLASS_SUDO is not set for gardener", "the variable … is not set for …"],
    ["the key keys/teacher.pub cannot be read", "the key … cannot be read"],
    ["tried ~/.ssh/class (ssh-ed25519 SHA256:WDKzldCtRxudgR9Ib0Lgb1xig3RBT9nU29p9Ha7Wi9g)", "tried … (…"],
    ["GET https://me:word@mirror.example/deb failed", "GET … failed"],
    ["address 192.0.2.7/24 and fe80::5054:ff:fe12:3456 and 10.0.0.7:6443", "address … and … and …"],
    ["token abcdef.0123456789abcdef has expired", "token … has expired"],
    ["Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQUFBQUFBQUFBQUFBQUFBQUFBQSJ9", "Bearer …"],
    ["-----BEGIN PRIVATE KEY----- abc", "…"],
    ["reading /home/gardener/.kube/config", "reading …"],
    ["kernel: net.ipv4.ip_forward is 0 at 12:30:45", "kernel: net.ipv4.ip_forward is 0 at 12:30:45"],
    ["control-plane: kubeadm init: pulling images, 12 s", "control-plane: kubeadm init: pulling images, 12 s"],
    ["default/web-7d4b9c6f5-x2x1z CrashLoopBackOff", "default/web-7d4b9c6f5-x2x1z CrashLoopBackOff"],
    ["kubectl -n default describe pod web-7d4b9c6f5-x2x1z", "kubectl -n default describe pod web-7d4b9c6f5-x2x1z"],
    ["first line\nsecond line", "first line"],
  ])("%s", (text, told) => expect(publicText(text)).toBe(told));

  test("is short, whatever a machine says", () => expect(publicText("word ".repeat(1000)).length).toBeLessThan(310));
});

describe("a tile", () => {
  const status = (more: Partial<StudentStatus>): StudentStatus => ({ student, state: "ready", need: "nothing", prepareTo: "cluster", machines: [], stage: "node", nodes: 1, nodesReady: 1, problems: [], ...more });

  test("of a student who is ready", () => {
    const tile = tileOf(status({ failingPods: { count: 0 }, disk: { machine: "s07", availableBytes: 12.4e9, sizeBytes: 20e9 }, certificate: { machine: "s07", name: "apiserver", days: 364 } }), words.en, publicText, 5);
    expect(tile).toEqual({
      id: "s07", name: "홍길동", state: "ready", symbol: "✓", word: "ready", need: "nothing", urgency: 0, doing: "", problem: "", next: "", lookedAt: 5,
      facts: [{ label: "nodes", value: "1/1", bad: false }, { label: "pods", value: "run", bad: false }, { label: "disk", value: "12 GB", bad: false }, { label: "cert", value: "364 d", bad: false }],
    });
  });

  test("of a student whose machines are only prepared, with what was made on them by hand", () => {
    const machines = [{ machine: "s07", host: "vm7.bank.example", state: "by-hand", byHand: "a control plane of Kubernetes 1.37.1" }] as const;
    expect(tileOf(status({ prepareTo: "packages", stage: "kubernetes-packages", machines }), words.en, publicText, 5)).toMatchObject({
      symbol: "✓", word: "prepared: packages", doing: "made by hand: a control plane of Kubernetes 1.37.1", facts: [{ label: "at", value: "kubernetes-packages" }, { label: "disk" }],
    });
  });

  test("has another sign for one who is ready and should be looked at", () => {
    expect(tileOf(status({ need: "look" }), words.en, publicText, 5)).toMatchObject({ symbol: "!", word: "ready" });
  });

  test("says before there is a cluster how far the machines are", () => {
    expect(tileOf(status({ state: "partial", need: "act", stage: "kernel" }), words.en, publicText, 5).facts[0]).toEqual({ label: "at", value: "kernel", bad: false });
  });

  test("the more urgent a state, the further in front", () => {
    const urgency = (state: StudentStatus["state"], need: StudentStatus["need"]) => tileOf(status({ state, need }), words.en, publicText, 0).urgency;
    const order = [urgency("unreachable", "act"), urgency("not-ready", "act"), urgency("partial", "act"), urgency("ready", "look"), urgency("none", "start"), urgency("working", "nothing"), urgency("ready", "nothing")];
    expect(order).toEqual(order.toSorted((a, b) => b - a));
    expect(new Set(order).size).toBe(order.length);
    expect(blankTile(student, words.en)).toMatchObject({ id: "s07", state: "looking", lookedAt: 0 });
  });

  const problems: Problem[] = [
    ...(["unreachable", "another-machine", "refused", "unreadable"] as const).map((kind) => ({ kind, machine: "s07", said: "gardener@vm7.bank.example:22 no", next: "ssh-copy-id gardener@vm7.bank.example" })),
    { kind: "foreign", machine: "s07", owner: "p/other/c" },
    { kind: "by-hand", machine: "s07", made: "a control plane of Kubernetes 1.37.1, node s07, made 2026-11-21 10:12" },
    { kind: "failed", command: "up", said: "gardener@vm7.bank.example: no" },
    { kind: "killed", command: "up" },
    { kind: "unfinished", stage: "kernel" },
    { kind: "not-begun" },
    { kind: "certificate", machine: "s07", name: "apiserver", days: -1 },
    { kind: "certificate", machine: "s07", name: "apiserver", days: 3 },
    { kind: "silent-cluster", said: "The connection to the server 10.0.0.7:6443 was refused" },
    { kind: "nodes-not-ready", nodes: ["s07"] },
    { kind: "nodes-missing", nodes: ["s07-w1", "s07-w2"] },
    { kind: "disk", machine: "s07", availableBytes: 1e9, percent: 5 },
    { kind: "pods", failing: 3, first: { namespace: "default", name: "web", reason: "CrashLoopBackOff" } },
  ];

  test.each(problems.flatMap((problem) => (["en", "ko"] as const).map((language) => [problem.kind, language, problem] as const)))("tells %s in %s, with what to do and without addresses", (_kind, language, problem) => {
    const tile = tileOf(status({ state: "partial", need: "act", problems: [problem] }), words[language], publicText, 0);
    expect(tile.problem).not.toBe("");
    expect(tile.next).not.toBe("");
    expect(`${tile.problem} ${tile.next}`).not.toMatch(/gardener|bank\.example|10\.0\.0|undefined/);
    if (language === "ko") expect(tile.problem + tile.next).toMatch(/[가-힣]|classroom up|kubectl/);
  });
});

describe("the page", () => {
  test("takes no name for markup", () => expect(pageOf(`<script>"'&`, words.en)).toContain("<h1>&lt;script&gt;&quot;&#39;&amp;</h1>"));

  test.each([
    ["127.0.0.1:8040", "127.0.0.1", true],
    ["localhost:9000", "127.0.0.1", true],
    ["LOCALHOST", "localhost", true],
    ["[::1]:8040", "::1", true],
    ["127.0.0.1", "::1", true],
    ["evil.example:8040", "127.0.0.1", false],
    ["localhost.evil.example", "127.0.0.1", false],
    ["127.0.0.1.evil.example", "127.0.0.1", false],
    ["", "127.0.0.1", false],
    ["board.school.example", "0.0.0.0", true],
  ])("is given for the name %j at %s: %j", (header, bound, own) => expect(isOwnHost(header, bound)).toBe(own));
});

describe("the watch", () => {
  const students: Student[] = Array.from({ length: 40 }, (_, index) => ({ id: `s${index}`, machines: [{ host: `192.0.2.${index}` }], line: index }));
  let begun: string[];
  let most: number;
  let running: number;
  let last: Entry | undefined;
  let published: string[];
  let watch: Watch;
  /** How long a glance at a student takes, in seconds; those that take longest do not answer. */
  let seconds: (id: string) => number;

  beforeEach(() => {
    vi.useFakeTimers();
    begun = [];
    published = [];
    most = running = 0;
    last = undefined;
    seconds = () => 1;
    watch = new Watch({
      students,
      prepareTo: "cluster",
      told: { last: (id) => (id === "s3" ? last : undefined), runningElsewhere: (id) => (id === "s3" && last && last.ended === undefined ? last : undefined), wasKilled: () => false },
      async glance(student) {
        begun.push(student.id);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 1000 * seconds(student.id)));
        running -= 1;
        return seconds(student.id) < 30 ? [] : [{ fault: { kind: "unreachable" } } as Glance];
      },
      publish: ({ student, doing }) => void published.push(doing ? `${student.id} ${doing}` : student.id),
    });
  });
  afterEach(() => {
    watch.stop();
    vi.useRealTimers();
  });

  const times = (id: string) => begun.filter((one) => one === id).length;

  test("looks at nobody before somebody watches, and at nobody after", async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    expect(begun).toEqual([]);
    watch.start();
    await vi.advanceTimersByTimeAsync(5000);
    expect(new Set(begun).size).toBe(40);
    watch.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(begun).toHaveLength(40);
  });

  test("leaves a machine in peace between two glances, also when watching stops and starts again", async () => {
    watch.start();
    await vi.advanceTimersByTimeAsync(10_000);
    watch.stop();
    watch.start();
    expect(times("s0")).toBe(1);
    most = 0;
    await vi.advanceTimersByTimeAsync(55_000);
    // One second for the glance and fifteen of rest each.
    expect(times("s0")).toBe(5);
    expect(most).toBeLessThanOrEqual(16);
  });

  test("never looks twice at once, and takes up a glance that is still on its way", async () => {
    seconds = (id) => (id === "s0" ? 20 : 1);
    watch.start();
    await vi.advanceTimersByTimeAsync(3000);
    watch.stop();
    watch.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(times("s0")).toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(published).toContain("s0");
  });

  test("machines that do not answer keep nobody waiting, neither at the first look nor later", async () => {
    seconds = (id) => (Number(id.slice(1)) < 20 ? 30 : 1);
    watch.start();
    await vi.advanceTimersByTimeAsync(2000);
    expect(published).toHaveLength(20);
    await vi.advanceTimersByTimeAsync(120_000);
    begun = [];
    await vi.advanceTimersByTimeAsync(32_000);
    for (let index = 20; index < 40; index += 1) expect(times(`s${index}`)).toBe(2);
  });

  test("tells what a command does while it works, and looks at once when it has ended", async () => {
    watch.start();
    await vi.advanceTimersByTimeAsync(5000);
    published = [];
    last = { command: "up", began: "x", pid: 1, doing: "kernel: sysctl" };
    await vi.advanceTimersByTimeAsync(2000);
    expect(published).toEqual(["s3 kernel: sysctl"]);
    expect(times("s3")).toBe(1);
    last = { ...last, ended: "x", ok: true };
    await vi.advanceTimersByTimeAsync(3500);
    expect(times("s3")).toBe(2);
    expect(published.at(-1)).toBe("s3");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(times("s3")).toBe(2);
  });
});
