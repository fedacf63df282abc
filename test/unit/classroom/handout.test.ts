import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "reflect-metadata";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import { unzipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { parseClass, type ClassSettings } from "../../../classroom/class-file.ts";
import { accessObjects } from "../../../classroom/handout/access.ts";
import { card } from "../../../classroom/handout/card.ts";
import { newClientKey } from "../../../classroom/handout/client-key.ts";
import { Ends, zoneOf } from "../../../classroom/handout/ends.ts";
import { fileNames, type Handout } from "../../../classroom/handout/facts.ts";
import { fingerprintOfText } from "../../../classroom/handout/fingerprint.ts";
import { operatorKey } from "../../../classroom/handout/operator-key.ts";
import type { Page } from "../../../classroom/handout/page.ts";
import { pageHtml } from "../../../classroom/handout/page-html.ts";
import { pagePdf } from "../../../classroom/handout/page-pdf.ts";
import { sheet } from "../../../classroom/handout/sheet.ts";
import { knownHosts, sshAddress, sshConfig } from "../../../classroom/handout/ssh-files.ts";
import { Handouts } from "../../../classroom/handout/store.ts";
import { stillOpen, voidHandouts } from "../../../classroom/handout/void.ts";
import { english } from "../../../classroom/handout/words/en.ts";
import { korean } from "../../../classroom/handout/words/ko.ts";
import { settingsWithLogins } from "../../../classroom/logins.ts";
import type { Student } from "../../../classroom/roster.ts";
import { parseSettings } from "../../../kubeadm/settings.ts";
import { generateKey } from "../../keys.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/** What a student of one control plane and some workers gets. */
function handout(workers = 1): Handout {
  const machine = (name: string, role: "control-plane" | "worker", last: number) => ({ name, role, host: `203.0.113.${last}`, port: last === 11 ? 22 : 2222, clusterAddress: `10.0.0.${last}`, hostKey });
  return {
    student: { id: "s07", name: "김하늘 <b>" },
    klass: "kube-2026-12",
    login: "student",
    machines: [machine("s07-cp1", "control-plane", 11), ...Array.from({ length: workers }, (_, i) => machine(`s07-w${i + 1}`, "worker", 21 + i))],
    cluster: { server: "https://203.0.113.11:6443", ends: "2026-12-04T09:00:00.000Z" },
  };
}

const student: Student = { id: "s07", name: "김하늘", machines: [{ host: "192.0.2.107" }], line: 8 };

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "handout-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const klassOf = (text = ""): ClassSettings => parseClass(`name: cka\n${text}`, join(directory, "class.yaml")).klass!;

/** All words on a page, as somebody reads them. */
const wordsOn = ({ title, subtitle, blocks, qr, footer }: Page): string =>
  [title, subtitle, qr?.caption, footer, ...blocks.map((block) => (block.kind === "table" ? [block.head, ...block.rows].flat().join(" ") : block.kind === "commands" ? [block.label, ...block.lines].join("\n") : block.text))].join("\n");

/** Pages of a PDF. */
const pagesOf = (pdf: Uint8Array): number => Buffer.from(pdf).toString("latin1").match(/\/Type \/Page\n/g)?.length ?? 0;

/** Modes of the files in an archive: the high half of the external attributes in the central directory's headers (APPNOTE 4.3.12). */
function modesIn(zip: Buffer): number[] {
  const modes: number[] = [];
  for (let at = zip.indexOf("PK\x01\x02"); at >= 0; at = zip.indexOf("PK\x01\x02", at + 1)) modes.push((zip.readUInt32LE(at + 38) >>> 16) & 0o777);
  return modes;
}

describe("a card", () => {
  test.each(["en", "ko"] as const)("has all that a student needs, in %s", (language) => {
    const text = wordsOn(card(handout(), language, "Asia/Seoul"));
    for (const needed of [
      "kube-2026-12",
      "s07 김하늘",
      "ssh -F config s07-cp1",
      "ssh -i key -o UserKnownHostsFile=known_hosts -p 22 student@203.0.113.11",
      'icacls key /inheritance:r /grant:r "${env:USERNAME}:R"',
      "s07-w1",
      "203.0.113.21 : 2222",
      "10.0.0.21",
      fingerprintOfText(hostKey),
      "https://203.0.113.11:6443",
      "kubectl --kubeconfig admin.kubeconfig get nodes",
      "ssh -F config s07-cp1 kubectl get nodes",
    ]) {
      expect(text).toContain(needed);
    }
    expect(text).toMatch(language === "ko" ? /2026년 12월 4일 \(금\) 18:00 GMT\+9까지/ : /until Fri,? 4 Dec 2026,? (at )?18:00 GMT\+9/);
  });

  test("has a QR code of the address, which is no secret", () => expect(card(handout(), "en", "UTC").qr!.text).toBe("ssh://student@203.0.113.11:22"));

  test("of machines that are prepared only says so, and names no kubeconfig", () => {
    const { cluster: _, ...prepared } = handout();
    const text = wordsOn(card(prepared, "en", "UTC"));
    expect(text).toContain("you make it yourself");
    expect(text).not.toContain("--kubeconfig");
  });

  test("is one HTML file that fetches nothing, with every letter as it was written", async () => {
    const html = await pageHtml(card(handout(), "ko", "Asia/Seoul"));
    expect(html).toContain('<html lang="ko">');
    expect(html).toContain("김하늘 &lt;b&gt;");
    expect(html).not.toMatch(/(src|href)=|@import|url\(|<script/);
    expect(html).toMatch(/<svg/);
  });

  test.each(["en", "ko"] as const)("is one page of a PDF with its font in it, also with five machines, in %s", async (language) => {
    const pdf = await pagePdf(card(handout(4), language, "Asia/Seoul"));
    expect(pagesOf(pdf)).toBe(1);
    const text = Buffer.from(pdf).toString("latin1");
    expect(text).toContain("NanumGothic");
    expect(text).toContain("/FontFile2");
  });

  test("is in both languages the same: no word is missing in one", () => {
    const keys = (words: object): string[] => Object.entries(words).flatMap(([key, value]) => (typeof value === "object" ? keys(value as object).map((inner) => `${key}.${inner}`) : [key]));
    expect(keys(korean).sort()).toEqual(keys(english).sort());
    expect(wordsOn(card(handout(), "en", "UTC"))).not.toMatch(/(?!김하늘)[가-힣]{3}/);
  });
});

describe("files for ssh", () => {
  test("are understood by ssh itself", () => {
    writeFileSync(join(directory, "config"), sshConfig(handout()));
    const asked = (name: string) => execFileSync("ssh", ["-G", "-F", join(directory, "config"), name], { encoding: "utf8" });
    expect(asked("s07-w1")).toMatch(/^hostname 203\.0\.113\.21$[^]*^port 2222$/m);
    for (const line of ["user student", "identitiesonly yes", "stricthostkeychecking true", "userknownhostsfile known_hosts"]) expect(asked("s07-cp1")).toContain(`${line}\n`);
  });

  test("hold the machines to the keys that they have shown", () => {
    writeFileSync(join(directory, "known_hosts"), knownHosts(handout()));
    const found = execFileSync("ssh-keygen", ["-F", "[203.0.113.21]:2222", "-f", join(directory, "known_hosts")], { encoding: "utf8" });
    expect(found).toContain(hostKey);
    expect(knownHosts(handout())).toContain(`203.0.113.11 ${hostKey}\n`);
  });

  test("an IPv6 address stands in brackets", () => expect(sshAddress("student", { ...handout().machines[0]!, host: "fd00::7", port: 2222 })).toBe("ssh://student@[fd00::7]:2222"));
});

describe("a client certificate", () => {
  test("is asked for with a new key, for a user in a group", async () => {
    const [one, other] = await Promise.all([newClientKey("s07-admin", "classroom:admins"), newClientKey("s07-admin", "classroom:admins")]);
    expect(one!.key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(one!.key).not.toBe(other!.key);
    expect(one!.csr).not.toContain("PRIVATE");
    writeFileSync(join(directory, "csr"), one!.csr);
    const subject = execFileSync("openssl", ["req", "-in", join(directory, "csr"), "-noout", "-verify", "-subject"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    expect(subject).toMatch(/O ?= ?classroom:admins, ?CN ?= ?s07-admin/);
    expect(await new Pkcs10CertificateRequest(one!.csr).verify()).toBe(true);
  });

  test("gives rights by groups of our own: everything, or looking with one place to work in", () => {
    const objects = parseAllDocuments(accessObjects()).map((document) => document.toJS() as { kind: string; roleRef?: { name: string }; subjects?: { name: string }[]; metadata: { namespace?: string } });
    const given = objects.flatMap(({ kind, roleRef, subjects, metadata }) => (roleRef ? [[kind, metadata.namespace ?? "", roleRef.name, subjects![0]!.name].join(" ")] : []));
    expect(given).toEqual([
      "ClusterRoleBinding  cluster-admin classroom:admins",
      "ClusterRoleBinding  view classroom:viewers",
      "ClusterRoleBinding  classroom-node-reader classroom:viewers",
      "RoleBinding practice edit classroom:viewers",
    ]);
    expect(accessObjects()).not.toContain("system:masters");
  });
});

describe("when certificates end", () => {
  const now = new Date("2026-12-01T09:00:00Z");
  const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);

  test("is what the class file says, else two weeks away", () => {
    expect(new Ends({}, now).seconds).toBe(14 * 86_400);
    expect(new Ends({ ends: "2026-12-04T18:00+09:00" }, now).seconds).toBe(3 * 86_400);
  });

  test("a day alone is that day to its end, here", () => {
    const end = new Date(2026, 11, 4, 23, 59, 59).getTime();
    expect(new Ends({ ends: "2026-12-04" }, now).seconds).toBe(Math.floor((end - now.getTime()) / 1000));
  });

  test("is refused when it is over, by the name of the setting", () => {
    expect(() => new Ends({ ends: "2026-11-30" }, now)).toThrow("ends: 2026-11-30 is over");
    expect(() => new Ends({ ends: "2026-12-01T09:09Z" }, now)).toThrow("less than ten minutes away");
  });

  test("decides whether a certificate is kept", () => {
    const open = new Ends({}, now);
    expect([inDays(13), inDays(2), inDays(0.5), inDays(-1)].map((end) => open.areKeptBy(end))).toEqual([true, true, false, false]);
    const fixed = new Ends({ ends: "2026-12-04T09:00Z" }, now);
    expect([inDays(3), inDays(2.9), inDays(4)].map((end) => fixed.areKeptBy(end))).toEqual([true, false, false]);
    // Kubernetes signs for a year.
    expect(new Ends({ ends: "2028-12-04T09:00Z" }, now).areKeptBy(inDays(365))).toBe(true);
  });

  test("is told for the zone that it was written for", () => {
    expect(zoneOf({ ends: "2026-12-04T18:00+09:00" })).toBe("+09:00");
    expect(zoneOf({ ends: "2026-12-04T18:00Z" })).toBe("UTC");
    expect(zoneOf({})).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  });
});

describe("what is kept of a class", () => {
  test("one key for each student, made once, for the operator's eyes only", () => {
    const handouts = new Handouts(klassOf());
    const key = handouts.keyOf("s07");
    expect(new Handouts(klassOf()).keyOf("s07")).toEqual(key);
    expect(handouts.keyOf("s08").public).not.toBe(key.public);
    expect(key.public).toMatch(/^ssh-ed25519 \S+ s07@cka$/);
    expect(statSync(handouts.keyPathOf("s07")).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, ".classroom/cka/keys")).mode & 0o777).toBe(0o700);
    expect(execFileSync("ssh-keygen", ["-y", "-f", handouts.keyPathOf("s07")], { encoding: "utf8" })).toContain(key.public.split(" ")[1]);
  });

  test("a zip whose files only the student may read, once it is unpacked", () => {
    const handouts = new Handouts(klassOf());
    handouts.write(handout(), { [fileNames.key]: "secret\n", [fileNames.pdf]: new Uint8Array([1, 2, 3]) });
    const zip = readFileSync(handouts.zipOf("s07"));
    expect(Object.keys(unzipSync(zip))).toEqual(["cka-s07/key", "cka-s07/card.pdf"]);
    expect(modesIn(zip)).toEqual([0o600, 0o600]);
    expect(handouts.of("s07")).toEqual(handout());
    handouts.write(handout(), { [fileNames.key]: "secret\n" });
    expect(existsSync(join(handouts.folderOf("s07"), fileNames.pdf))).toBe(false);
  });

  test("is gone when the machines are given back, and the sheet tells of the others", async () => {
    const klass = klassOf();
    const students = [student, { ...student, id: "s08", name: "이바다" }];
    const handouts = new Handouts(klass);
    for (const { id } of students) {
      handouts.keyOf(id);
      handouts.write({ ...handout(), student: { id } }, { [fileNames.key]: "secret" });
    }
    await voidHandouts([student], { klass, students });
    expect([handouts.folderOf("s07"), handouts.zipOf("s07"), handouts.keyPathOf("s07")].map((path) => existsSync(path))).toEqual([false, false, false]);
    expect(readFileSync(join(handouts.directory, "instructor.html"), "utf8")).toMatch(/s07 김하늘.*not handed out.*s08 이바다[^]*s08\.zip/);
    expect(stillOpen(student, klass)).toEqual([]);
    expect(stillOpen(students[1]!, klass)[0]).toMatch(/^s08: what was handed out is not void: the key .*keys\/s08 still opens 203\.0\.113\.11, 203\.0\.113\.21, and the kubeconfigs in .*\/s08 open its cluster until \d{4}-\d\d-\d\d \d\d:\d\d\. They stay there/);
    await voidHandouts([students[1]!], { klass, students });
    expect(existsSync(handouts.directory)).toBe(false);
  });
});

describe("the instructor's sheet", () => {
  test("tells who has what, how to get in, and no secret", async () => {
    const klass = klassOf("language: ko\nends: 2026-12-04T18:00+09:00\ncluster: { ssh: { user: ubuntu, port: 2222 } }");
    const page = sheet(klass, [student, { ...student, id: "s08" }], [handout()], hostKey, "/class/.classroom/cka/handout");
    const text = wordsOn(page);
    expect(text).toContain("ubuntu@192.0.2.107 -p 2222");
    expect(text).toContain("아직 나눠 주지 않음");
    expect(text).toContain(fingerprintOfText(hostKey));
    expect(pagesOf(await pagePdf(page))).toBe(1);
  });
});

describe("who can log in to a student's machines", () => {
  const keysOf = (klass: ClassSettings) => {
    const { settings, faults } = parseSettings(settingsWithLogins(klass, student, new Handouts(klass)));
    expect(faults).toEqual([]);
    return settings!;
  };

  test("the student with an own key, and the instructor with the key that the class uses", () => {
    const own = generateKey();
    writeFileSync(join(directory, "id"), own.private);
    const klass = klassOf(`login: edu\ncluster:\n  ssh: { privateKeyPath: ${join(directory, "id")} }\n  logins: [{ name: helper, authorizedKeys: ["${hostKey}"] }]`);
    const { logins, ssh } = keysOf(klass);
    expect(logins.map(({ name, sudo }) => [name, sudo])).toEqual([["helper", false], ["edu", true]]);
    expect(logins[1]!.authorizedKeys).toEqual([new Handouts(klass).keyOf("s07").public]);
    expect(ssh.authorizedKeys.map((key) => key.split(" ")[1])).toEqual([own.public.split(" ")[1]]);
  });

  test("the instructor with the key that is named", () => {
    writeFileSync(join(directory, "me.pub"), `${hostKey} me@desk\n`);
    expect(keysOf(klassOf("instructorKeyPath: me.pub")).ssh.authorizedKeys).toEqual([`${hostKey} me@desk`]);
    writeFileSync(join(directory, "me"), generateKey().private);
    expect(() => operatorKey(klassOf("instructorKeyPath: me"))).toThrow("instructorKeyPath: me holds a private key. Next: name the .pub file.");
    expect(() => operatorKey(klassOf("instructorKeyPath: you.pub"))).toThrow("instructorKeyPath: you.pub cannot be read");
  });

  test("the public part of an encrypted key stands beside it, or opens with its passphrase", () => {
    const encrypted = generateKey("ed25519", "open sesame");
    writeFileSync(join(directory, "id"), encrypted.private);
    const klass = klassOf(`cluster: { ssh: { privateKeyPath: ${join(directory, "id")}, passphraseEnv: PASS } }`);
    expect(operatorKey(klass, {})).toBeUndefined();
    expect(operatorKey(klass, { PASS: "open sesame" })?.split(" ")[1]).toBe(encrypted.public.split(" ")[1]);
    writeFileSync(join(directory, "id.pub"), `${hostKey}\n`);
    expect(operatorKey(klass, {})).toBe(hostKey);
  });

  test("nobody more when only the ssh-agent has the key", () => expect(keysOf(klassOf()).ssh.authorizedKeys).toEqual([]));

  test("no login of the settings may be the students' own", () => {
    expect(parseClass(`name: cka\ncluster:\n  logins: [{ name: student, authorizedKeys: ["${hostKey}"] }]`, "class.yaml").faults).toEqual([
      { line: 3, reason: "cluster.logins.0.name: student is the students' own login; choose another name, or set login" },
    ]);
  });
});
