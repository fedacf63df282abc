import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ensureArtefact, withCacheLock } from "../../../lab/cache.ts";

let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-cache-"));
  vi.stubEnv("PULUMI_KUBEADM_CACHE", cache);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

const artefact = (recipe: string, build = async (directory: string) => writeFileSync(join(directory, "content"), recipe)) => ({ name: "thing", recipe, build });

test("what was built once is not built again", async () => {
  const first = await ensureArtefact(artefact("one"));
  const second = await ensureArtefact(artefact("one", () => Promise.reject(new Error("built twice"))));
  expect(second).toBe(first);
  expect(readFileSync(join(second, "content"), "utf8")).toBe("one");
});

test("another recipe is another artefact, and the old one goes", async () => {
  const old = await ensureArtefact(artefact("one"));
  const recent = await ensureArtefact(artefact("two"));
  expect(existsSync(old)).toBe(false);
  expect(readFileSync(join(recent, "content"), "utf8")).toBe("two");
});

test("a build that fails leaves nothing that counts", async () => {
  await expect(ensureArtefact(artefact("one", () => Promise.reject(new Error("no disk"))))).rejects.toThrow("no disk");
  expect(readdirSync(join(cache, "artefacts"))).toEqual([]);
  expect(readFileSync(join(await ensureArtefact(artefact("one")), "content"), "utf8")).toBe("one");
});

test("what a killed build left goes when the next one is complete", async () => {
  const directory = await ensureArtefact(artefact("one"));
  rmSync(directory, { recursive: true });
  const left = mkdtempSync(`${directory}.partial-`);
  await ensureArtefact(artefact("one"));
  expect(existsSync(left)).toBe(false);
});

test("a second run waits for the first, and a killed one frees the lock", async () => {
  const module = join(import.meta.dirname, "../../../lab/cache.ts");
  const program = `const { withCacheLock } = await import(${JSON.stringify(module)});
    await withCacheLock(() => new Promise(() => { setInterval(() => {}, 1000); console.log("mine"); }));`;
  const other = spawn("node", ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PULUMI_KUBEADM_CACHE: cache } });
  await new Promise((resolve) => createInterface(other.stdout).once("line", resolve));
  let waited = false;
  const result = await withCacheLock(
    () => Promise.resolve("done"),
    () => {
      waited = true;
      other.kill("SIGKILL");
    },
  );
  expect([waited, result]).toEqual([true, "done"]);
});
