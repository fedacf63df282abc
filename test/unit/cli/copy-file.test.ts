import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { download, removeFile, upload } from "../../../cli/copy-file.ts";
import { connect, type Connection, type RootCommand } from "../../../machine/connection.ts";
import { ConnectionLostError } from "../../../machine/errors.ts";
import { member } from "./control-planes.ts";

vi.mock(import("../../../machine/connection.ts"), async (original) => ({ ...(await original()), connect: vi.fn() }));

const silent = { progress: () => {}, info: () => {}, warn: () => {} };
const { target } = member("cp1");
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
// Two whole chunks and a bit.
const content = randomBytes(2 * 4 * 2 ** 20 + 12_345);

let directory: string;
const at = (name: string) => join(directory, name);

/** This computer stands for the machine too. The connection breaks before these calls, counted from 0. */
function machineHere(breaks: readonly number[] = []) {
  let calls = 0;
  const sudo = ({ script, stdin = "" }: RootCommand) => {
    if (breaks.includes(calls++)) return Promise.reject(new ConnectionLostError({ machine: "cp1", stage: "connect", cause: "it broke", next: "again" }));
    const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { input: stdin, maxBuffer: 1 << 28 });
    return Promise.resolve({ code: status!, stdout: stdout.toString(), stderr: stderr.toString() });
  };
  vi.mocked(connect).mockResolvedValue({ hostKey: "", bastionHostKey: undefined, sudo } satisfies Connection);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-copy-"));
  machineHere();
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("a file of root's", () => {
  test("comes whole, for its owner only, with its checksum, also over a connection that breaks", async () => {
    writeFileSync(at("it's here"), content);
    machineHere([1]);
    await download(target, { path: at("it's here"), bytes: content.length, sha256: sha256(content) }, at("copy.db"), silent);
    expect(readFileSync(at("copy.db")).equals(content)).toBe(true);
    expect(readFileSync(at("copy.db.sha256"), "utf8")).toBe(`${sha256(content)}  copy.db\n`);
    expect([at("copy.db"), at("copy.db.sha256")].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  test("that is not what it was leaves no copy", async () => {
    writeFileSync(at("file"), content);
    await expect(download(target, { path: at("file"), bytes: content.length, sha256: "00" }, at("copy.db"), silent)).rejects.toThrow("the copy's checksum is");
    expect(existsSync(at("copy.db"))).toBe(false);
  });

  test("that is gone is told, and leaves no copy", async () => {
    await expect(download(target, { path: at("gone"), bytes: 1, sha256: "00" }, at("copy.db"), silent)).rejects.toThrow(/No such file/);
    expect(existsSync(at("copy.db"))).toBe(false);
  });

  test("never takes the place of another", async () => {
    writeFileSync(at("file"), content);
    writeFileSync(at("copy.db"), "mine");
    await expect(download(target, { path: at("file"), bytes: content.length, sha256: sha256(content) }, at("copy.db"), silent)).rejects.toThrow("EEXIST");
    expect(readFileSync(at("copy.db"), "utf8")).toBe("mine");
  });
});

describe("a file of this computer", () => {
  test("arrives whole, for root only, also over a connection that breaks, and goes again", async () => {
    writeFileSync(at("snapshot.db"), content);
    writeFileSync(at("there"), randomBytes(content.length + 1), { mode: 0o600 });
    machineHere([1]);
    await upload(target, at("snapshot.db"), at("there"), silent);
    expect(readFileSync(at("there")).equals(content)).toBe(true);
    expect(statSync(at("there")).mode & 0o777).toBe(0o600);
    await removeFile(target, at("there"), silent);
    expect(existsSync(at("there"))).toBe(false);
  });

  test("that does not arrive as it was is a failure", async () => {
    writeFileSync(at("snapshot.db"), content);
    await expect(upload(target, at("snapshot.db"), "/dev/null", silent)).rejects.toThrow("could not be copied");
  });
});
