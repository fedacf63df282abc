import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { snapshotOrder } from "../../../controlplane/snapshot.ts";
import { readScript } from "../../../machine/render.ts";
import { look, machines, type Fault } from "../cli/control-planes.ts";
import { Sandbox } from "../stages/shell.ts";

let sandbox: Sandbox;
const at = (path: string) => join(sandbox.directory, path);

beforeEach(() => {
  sandbox = new Sandbox();
  mkdirSync(at("etcd/member/snap"), { recursive: true });
  writeFileSync(at("etcd/member/snap/db"), "x".repeat(4096));
});
afterEach(() => sandbox[Symbol.dispose]());

const database = Buffer.from("a database of etcd");
/** As etcd sends it: https://github.com/etcd-io/etcd/blob/v3.6.0/server/etcdserver/api/v3rpc/maintenance.go */
const good = Buffer.concat([database, createHash("sha256").update(database).digest()]);

/** Takes a snapshot on a machine whose disk is the sandbox; etcd gives these bytes. */
function take(given: Buffer | undefined, more = "") {
  writeFileSync(at("given"), given ?? "");
  return sandbox.run(`${readScript("etcd-snapshot.sh")}
    data_dir=$d/etcd NODE_NAME=cp1 SNAPSHOT_DIRECTORY=$d/kept/snapshots JOB_RESULT=$d/result
    etcd_running() { :; }
    etcdctl() { ${given ? 'cp "$d/given" "$3"' : ': > "$3"; return 1'}; }
    ${more}
    exec 2>&1; stage_apply`);
}
const kept = () => readdirSync(at("kept/snapshots")).sort();

describe("a snapshot of etcd", () => {
  test("is kept with its checksum, for root only, and nothing is left in etcd's directory", () => {
    expect(take(good).status).toBe(0);
    const { path, sha256, bytes } = JSON.parse(readFileSync(at("result"), "utf8")) as { path: string; sha256: string; bytes: number };
    expect(path).toMatch(/\/kept\/snapshots\/etcd-\d{8}T\d{6}Z\.db$/);
    expect(bytes).toBe(good.length);
    expect(sha256).toBe(createHash("sha256").update(good).digest("hex"));
    expect(readFileSync(path)).toEqual(good);
    expect(readFileSync(`${path}.sha256`, "utf8")).toBe(`${sha256}  ${path.split("/").at(-1)}\n`);
    expect([path, `${path}.sha256`].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(statSync(at("kept/snapshots")).mode & 0o777).toBe(0o700);
    expect(readdirSync(at("etcd"))).toEqual(["member"]);
  });

  test.each([
    ["empty", Buffer.alloc(0)],
    ["nothing but a checksum", createHash("sha256").digest()],
    ["cut off", good.subarray(0, -1)],
    ["changed", Buffer.from(good).fill("b", 0, 1)],
  ])("that is %s is no snapshot", (_, bytes) => {
    const { status, stdout } = take(bytes);
    expect(status).toBe(1);
    expect(stdout).toContain(`!!! the snapshot of etcd on cp1 is damaged: ${bytes.length} bytes that do not match the checksum at their end`);
    expect(kept()).toEqual([]);
    expect(readdirSync(at("etcd"))).toEqual(["member"]);
  });

  test("that etcd does not give leaves nothing behind", () => {
    const { status, stdout } = take(undefined);
    expect(status).toBe(1);
    expect(stdout).toContain("!!! etcd on cp1 gave no snapshot\n>>> ");
    expect(kept()).toEqual([]);
    expect(readdirSync(at("etcd"))).toEqual(["member"]);
  });

  test("needs an etcd that runs", () => expect(take(good, "etcd_running() { return 1; }").stdout).toContain("!!! no etcd runs on cp1"));

  test("needs room for twice the database", () => {
    const { status, stdout } = take(good, "df() { echo Avail; echo 8191; }");
    expect(status).toBe(1);
    expect(stdout).toMatch(/^!!! .*etcd on cp1 has 0 MiB free, and a snapshot of etcd's 0 MiB wants twice that$/m);
    expect(take(good, "df() { echo Avail; echo 8192; }").status).toBe(0);
  });

  test("makes way for itself: of earlier ones the newest four stay, and what is not ours stays", () => {
    mkdirSync(at("kept/snapshots"), { recursive: true });
    const earlier = [1, 2, 3, 4, 5, 6].map((day) => `etcd-2024010${day}T000000Z.db`);
    for (const name of [...earlier, ...earlier.map((name) => `${name}.sha256`), "etcd-mine.db", "etcd-20240101T000000Z.db.pulumi-kubeadm-part"]) writeFileSync(at(`kept/snapshots/${name}`), "");
    expect(take(good).status).toBe(0);
    const stays = earlier.slice(2);
    expect(kept().filter((name) => name.includes("2024") || name === "etcd-mine.db")).toEqual([...stays.flatMap((name) => [name, `${name}.sha256`]), "etcd-mine.db"]);
  });

  test("stays even when the machine's clock was ahead before", () => {
    mkdirSync(at("kept/snapshots"), { recursive: true });
    for (const day of [1, 2, 3, 4, 5, 6]) writeFileSync(at(`kept/snapshots/etcd-2999010${day}T000000Z.db`), "");
    take(good);
    expect(existsSync((JSON.parse(readFileSync(at("result"), "utf8")) as { path: string }).path)).toBe(true);
  });
});

describe("where a snapshot is taken", () => {
  const order = (...faults: Fault[]) => snapshotOrder(machines(faults.map((_, index) => `cp${index + 1}`)), look(faults)).map(({ name, sick }) => (sick ? `${name}: ${sick}` : name));

  test("is a follower before the leader", () => expect(order({}, {}, {})).toEqual(["cp2", "cp3", "cp1"]));
  test("is no learner, and no member that does not answer", () => expect(order({}, { learner: true }, { dead: true }, {}, {})).toEqual(["cp4", "cp5", "cp1"]));
  test("is a sick member only when there is no other", () => {
    expect(order({}, { errors: [`memberID:${0xa2} alarm:NOSPACE`] }, {})).toEqual(["cp3", "cp1", "cp2: alarm NOSPACE"]);
    expect(order({}, { dead: true }, { dead: true })).toEqual(["cp1: sees no leader"]);
  });
  test("is nowhere when no etcd answers", () => expect(order({ silent: true })).toEqual([]));
});
