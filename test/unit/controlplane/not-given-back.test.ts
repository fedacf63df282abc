import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listedAs, noteNotGivenBack, readNotGivenBack, takeOffNotGivenBack } from "../../../controlplane/not-given-back.ts";
import type { SshTarget } from "../../../machine/target.ts";

const target = (name: string, more: Partial<SshTarget> = {}): SshTarget => ({
  name,
  host: "192.0.2.11",
  port: 22,
  user: "ops",
  hostKey: "ssh-ed25519 AAAA",
  auth: { agent: true },
  hostKeys: "pin",
  knownHostsPath: "~/.ssh/known_hosts",
  connectTimeoutSeconds: 1,
  ...more,
});
const note = (of: SshTarget, reason = "does not answer") => noteNotGivenBack({ target: of, since: "2026-12-04T18:00:00Z", reason }, directory);
const names = () => readNotGivenBack(directory).map(({ target: { name } }) => name);

let parent: string;
let directory: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "not-given-back-"));
  directory = join(parent, "not-given-back");
});
afterEach(() => rmSync(parent, { recursive: true }));

describe("the machines that were not given back", () => {
  test("are a file each, the operator's only; the directory comes with the first and goes with the last", () => {
    expect(readNotGivenBack(directory)).toEqual([]);
    note(target("s02"));
    note(target("s01"), "refuses the connection");
    expect(readNotGivenBack(directory)).toEqual([
      { target: target("s01"), since: "2026-12-04T18:00:00Z", reason: "refuses the connection" },
      { target: target("s02"), since: "2026-12-04T18:00:00Z", reason: "does not answer" },
    ]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(listedAs(target("s01"))).toBe(`not-given-back/${readdirSync(directory)[0]}`);
    for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    takeOffNotGivenBack(target("s01"), directory);
    takeOffNotGivenBack(target("s01"), directory);
    expect(names()).toEqual(["s02"]);
    takeOffNotGivenBack(target("s02"), directory);
    expect(existsSync(directory)).toBe(false);
  });

  test("one that is noted again is there once; another machine in its place is another one", () => {
    note(target("s01"));
    note(target("s01"), "refuses the connection");
    expect(readNotGivenBack(directory).map(({ reason }) => reason)).toEqual(["refuses the connection"]);
    for (const other of [{ hostKey: "ssh-ed25519 BBBB" }, { host: "192.0.2.12" }, { port: 2222 }]) note(target("s01", other));
    expect(names()).toEqual(["s01", "s01", "s01", "s01"]);
  });

  test("no name leads out of the directory", () => {
    note(target("../../s01"));
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^______s01-[0-9a-f]{12}\.yaml$/)]);
  });

  test("a file that somebody has spoilt is named", () => {
    note(target("s01"));
    writeFileSync(join(directory, "s02.yaml"), "target: [");
    expect(() => readNotGivenBack(directory)).toThrow(/s02\.yaml cannot be read: .*\nNext: /s);
  });

  test("none is lost, and none is half written, where many processes note and take off at once", async () => {
    // Each process takes its first machine off again, so that the directory comes and goes while others write.
    const program = `
      const { noteNotGivenBack, takeOffNotGivenBack, readNotGivenBack } = await import(${JSON.stringify(new URL("../../../controlplane/not-given-back.ts", import.meta.url).href)});
      const [directory, id] = process.argv.slice(1);
      const target = (name) => ({ ...${JSON.stringify(target(""))}, name });
      for (let round = 0; round < 20; round++) {
        for (const name of ["passing", "staying"]) noteNotGivenBack({ target: target(name + "-" + id), since: "now", reason: "x".repeat(10_000) }, directory);
        for (const { reason } of readNotGivenBack(directory)) if (reason.length !== 10_000) throw new Error("half written");
        takeOffNotGivenBack(target("passing-" + id), directory);
        if (round < 19) takeOffNotGivenBack(target("staying-" + id), directory);
      }`;
    const writers = Array.from({ length: 8 }, (_, id) => promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, directory, String(id)]));
    await Promise.all(writers);
    expect(names()).toEqual(Array.from({ length: 8 }, (_, id) => `staying-${id}`));
    expect(readdirSync(directory)).toHaveLength(8);
  }, 60_000);
});
