import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare, type Excuse } from "../../../machine/fingerprint/differences.ts";
import { ofRunning, ofTheSystem } from "../../../machine/fingerprint/excuses.ts";
import { originOf } from "../../../machine/fingerprint/origin.ts";
import { sentencesOf } from "../../../machine/fingerprint/sentences.ts";
import { fingerprintScript, parseFingerprint, thingsOf } from "../../../machine/fingerprint.ts";
import { bare, fingerprintOf } from "./fingerprints.ts";

const everyExcuse: readonly Excuse[] = [...ofTheSystem, ...ofRunning];

/** What differs on the small machine when lines are taken away and others come. */
function differing({ without = /^$/, and = [] }: { without?: RegExp; and?: readonly string[] }, excuses = everyExcuse) {
  return compare(fingerprintOf(bare), fingerprintOf([...bare.filter((line) => !without.test(line)), ...and]), excuses);
}
const told = (...args: Parameters<typeof differing>) => sentencesOf(differing(...args).differences);

describe("what differs between two fingerprints", () => {
  test("is nothing on the same machine", () => {
    expect(told({})).toEqual([]);
    expect(told({}, [])).toEqual([]);
  });

  test("is told in sentences: what is new, what is gone, and what is other than before", () => {
    expect(
      told({
        without: /\/etc\/hosts|swappiness|ssh\.service enabled|default via/,
        and: [
          "file /etc/hosts f 600 root:root 00112233445566ab",
          "file /usr/local/bin/helm f 755 root:root 1122334455667788",
          "sysctl vm.swappiness 10",
          "unit ssh.service disabled",
          "package jq 1.7.1-3 ii",
          "package tree 2.1-1 ii",
          "link docker0",
          "port\ttcp 0.0.0.0:8080\tnginx",
          "firewall\tiptables-nft filter -A INPUT -j DROP\t",
        ],
      }),
    ).toEqual([
      "changed file: /etc/hosts is 600 root:root, was 644 root:root",
      "new file: /usr/local/bin/helm",
      "new firewall rule: iptables-nft filter -A INPUT -j DROP",
      "new network link: docker0",
      "new packages: jq 1.7.1-3, tree 2.1-1",
      "new open port: tcp 0.0.0.0:8080 of nginx",
      "gone route: default via 192.0.2.1 dev eth0",
      "changed kernel setting: vm.swappiness is 10, was 60",
      "changed systemd unit: ssh.service is disabled, was enabled",
    ]);
  });

  test("a directory stands for all that came with it, and many things of a kind are counted", () => {
    const tree = Array.from({ length: 500 }, (_, number) => `file /opt/tool/part-${number} f 644 root:root 1122334455667788`);
    const links = Array.from({ length: 9 }, (_, number) => `link veth${number}`);
    expect(told({ and: ["file /opt/tool d 755 root:root", ...tree, ...links] })).toEqual([
      "new file: /opt/tool/ with 500 more below",
      "new network links: veth0, veth1, veth2, veth3, veth4, veth5, and 3 more",
    ]);
  });

  test("a file whose contents differ is named, and nothing of them", () => {
    expect(told({ without: /\/etc\/hosts/, and: ["file /etc/hosts f 644 root:root ffffffffffffffff"] })).toEqual(["changed file: /etc/hosts"]);
  });

  test("whoever waits at a port, it is the same port", () => {
    expect(told({ without: /:22/, and: ["port\ttcp 0.0.0.0:22\tsystemd"] })).toEqual([]);
  });
});

describe("excused is", () => {
  test.each([
    ["the state of a program that was there before", "file /var/lib/dpkg/info/x.list f 644 root:root 1122334455667788", "state of a program"],
    ["a module", "module vxlan", "a module that was loaded"],
    ["a setting of a module", "sysctl net.bridge.bridge-nf-call-iptables 1", "with its module or link"],
    ["a log", "passing /var/log/dpkg.log.1 f", "logs, and files"],
    ["a login", "running user@1000.service active", "of a login"],
    ["a mount of a login", "mount /run/user/1000 tmpfs", "of logins"],
    ["a revision that snapd fetched", "mount /snap/core20/2015 squashfs", "snapd"],
  ])("%s", (_, line, reason) => {
    const { differences, excused } = differing({ and: [line] });
    expect(differences).toEqual([]);
    expect([...excused]).toEqual([[expect.stringContaining(reason), 1]]);
  });

  test("a program's own state, a cache, and the lists of accounts where the accounts are told", () => {
    const { differences, excused } = differing({
      without: /logrotate|ld\.so\.cache|passwd|shadow/,
      and: [
        "file /var/lib/logrotate.status f 644 root:root 1111111111111111",
        "file /etc/ld.so.cache f 644 root:root 1111111111111111",
        "file /etc/passwd f 644 root:root 1111111111111111",
        "file /etc/shadow f 640 root:shadow 1111111111111111",
        "file /etc/passwd- f 644 root:root 1111111111111111",
        "user eve 1001:1001 /home/eve /bin/bash",
      ],
    });
    expect(sentencesOf(differences)).toEqual(["new user: eve"]);
    expect([...excused.values()].reduce((sum, number) => sum + number, 0)).toBe(5);
  });

  test("no password that somebody has changed", () => {
    expect(told({ without: /shadow/, and: ["file /etc/shadow f 640 root:shadow 1111111111111111"] })).toEqual(["changed file: /etc/shadow"]);
  });

  test.each([
    "file /var/lib/kubelet d 755 root:root",
    "file /var/lib/etcd/member d 700 root:root",
    "file /var/lib/dpkg/kubelet.sock s 644 root:root",
    "file /var/lib/pulumi-kubeadm d 700 root:root",
    "passing /var/log/pods d",
    "passing /run/flannel d",
    "file /etc/cni/net.d/10-flannel.conflist f 644 root:root 1122334455667788",
  ])("nothing that a cluster leaves behind: %s", (line) => {
    expect(differing({ and: [line] }).differences.map(originOf)).toEqual(["cluster"]);
  });

  test("between two starts with nothing else done, much less", () => {
    expect(told({ and: ["module vxlan", "file /var/lib/dpkg/info/x.list f 644 root:root 1122334455667788"] }, ofTheSystem)).toEqual([
      "new file: /var/lib/dpkg/info/x.list",
      "new kernel module: vxlan",
    ]);
  });
});

describe("whose a difference is", () => {
  test.each([
    ["cluster", "package", "kubelet"],
    ["cluster", "package", "containerd.io"],
    ["cluster", "sysctl", "vm.overcommit_memory"],
    ["cluster", "sysctl", "net.ipv4.conf.all.accept_redirects"],
    ["cluster", "link", "cni0"],
    ["cluster", "route", "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink"],
    ["cluster", "firewall", "iptables-nft nat -A POSTROUTING -j KUBE-POSTROUTING"],
    ["cluster", "swap", "/dev/sda2"],
    ["elsewhere", "package", "jq"],
    ["elsewhere", "package", "etckeeper"],
    ["elsewhere", "package", "nfs-kernel-server"],
    ["elsewhere", "file", "/etc/etcdefaults"],
    ["elsewhere", "sysctl", "vm.swappiness"],
    ["elsewhere", "link", "docker0"],
    ["elsewhere", "file", "/usr/local/bin/helm"],
    ["home", "home", "/home/ops/.kube"],
  ])("%s: %s %s", (origin, section, key) => expect(originOf({ section, key, after: "" })).toBe(origin));
});

describe("a fingerprint", () => {
  test("that is empty or none is refused", () => {
    expect(() => parseFingerprint({ gzip: fingerprintOf([]) })).toThrow("the fingerprint is empty");
    expect(() => parseFingerprint({ gzip: "####" })).toThrow();
    expect(() => parseFingerprint({})).toThrow();
  });
});

// The script only looks. The directories of this computer are left out: its thousands of files are not what is tested.
describe.skipIf(process.platform !== "linux")("scripts/fingerprint.sh", () => {
  let directory: string;
  let before: string;
  const root = () => join(directory, "etc");

  function take(): string {
    const script = fingerprintScript()
      .replace("file_roots=(/etc /opt /var/lib /usr/local)", `file_roots=(${root()} ${directory}/missing)`)
      .replace("storage='/var/lib/(", `storage='${root()}/(`);
    const run = execFileSync("bash", ["-s", "inspect"], { input: script, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"], maxBuffer: 1 << 28 });
    return parseFingerprint(JSON.parse(run));
  }
  const files = (fingerprint: string) => Object.fromEntries([...thingsOf(fingerprint)].filter(([thing]) => thing.startsWith("file\t")).map(([thing, value]) => [thing.slice(5 + root().length), value]));

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "fingerprint-"));
    mkdirSync(join(root(), "docker/overlay2/abc"), { recursive: true });
    writeFileSync(join(root(), "docker/overlay2/abc/file"), "deep in the storage");
    writeFileSync(join(root(), "secret"), "hunter2 hunter2", { mode: 0o600 });
    writeFileSync(join(root(), "a name with spaces\tand\na line break"), "x");
    writeFileSync(join(root(), "large"), Buffer.alloc(3 << 20));
    utimesSync(join(root(), "large"), 1_700_000_000, 1_700_000_000);
    symlinkSync("secret", join(root(), "link"));
    before = take();
  }, 300_000);
  afterAll(() => rmSync(directory, { recursive: true }));

  test("tells of each file its kind, mode, owner and digest, and never what is in it", () => {
    const owner = execFileSync("stat", ["-c", "%U:%G", join(root(), "secret")], { encoding: "utf8" }).trim();
    expect(files(before)).toMatchObject({
      "/secret": `f 600 ${owner} ${execFileSync("sha256sum", [join(root(), "secret")], { encoding: "utf8" }).slice(0, 16)}`,
      "/link": "l -> secret",
      "/large": `f 644 ${owner} ${3 << 20} 1700000000`,
      "/docker": `d 755 ${owner}`,
      "/docker/overlay2": `d 755 ${owner}`,
    });
    expect([...thingsOf(before)].join("\n")).not.toContain("hunter2");
  });

  test("leaves out what is deep in the storage of containers", () => {
    expect(Object.keys(files(before))).not.toContain("/docker/overlay2/abc");
  });

  test("tells the computer's accounts, packet filter or none, kernel settings and packages", () => {
    const things = thingsOf(before);
    expect(things.get("user\troot")).toMatch(/^0:0 \/root /);
    expect(things.get("sysctl\tkernel.ostype")).toBe("Linux");
    expect([...things.keys()].filter((thing) => /\trandom|nf_conntrack_count/.test(thing))).toEqual([]);
  });

  test("sees what was changed, and nothing else", () => {
    writeFileSync(join(root(), "secret"), "hunter3 hunter3");
    chmodSync(join(root(), "large"), 0o600);
    mkdirSync(join(root(), "kubernetes"));
    writeFileSync(join(root(), "kubernetes/admin.conf"), "x");
    rmSync(join(root(), "link"));
    const { differences } = compare(before, take(), everyExcuse);
    expect(sentencesOf(differences.filter(({ section }) => section === "file")).map((sentence) => sentence.replaceAll(root(), ""))).toEqual([
      "new file: /kubernetes/ with 1 more below",
      expect.stringMatching(/^changed files: \/large is 600 .*, was 644 .*, \/secret$/),
      "gone file: /link",
    ]);
  }, 300_000);
});
