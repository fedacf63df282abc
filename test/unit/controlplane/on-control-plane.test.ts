import { beforeEach, expect, test, vi } from "vitest";
import { onControlPlane } from "../../../controlplane/on-control-plane.ts";
import { MachineError, UnreachableError } from "../../../machine/errors.ts";
import { runDirectly } from "../../../machine/inspect.ts";
import { member } from "../cli/control-planes.ts";

vi.mock(import("../../../machine/inspect.ts"), async (original) => ({ ...(await original()), runDirectly: vi.fn() }));

const reporter = { progress: () => {}, info: () => {}, warn: () => {} };
const dead = new Set<string>();
const asked: string[] = [];
const fault = (machine: string, cause: string) => ({ machine, stage: "connect", cause, next: "look at it" });

beforeEach(() => {
  dead.clear();
  asked.length = 0;
  vi.mocked(runDirectly).mockImplementation(async ({ target: { name } }) => {
    asked.push(name);
    if (dead.has(name)) throw new UnreachableError(fault(name, "does not answer"));
    return { of: name };
  });
});

const ask = (...names: string[]) => onControlPlane(names.map(member), "node.sh", "inspect", reporter, {});

test("a control plane that did not answer is asked last from then on, and first again when it has answered", async () => {
  dead.add("cp1");
  expect(await ask("cp1", "cp2")).toEqual({ of: "cp2" });
  expect(await ask("cp1", "cp2")).toEqual({ of: "cp2" });
  expect(asked).toEqual(["cp1", "cp2", "cp2"]);

  dead.clear();
  dead.add("cp2");
  expect(await ask("cp1", "cp2")).toEqual({ of: "cp1" });
  expect(await ask("cp1", "cp2")).toEqual({ of: "cp1" });
  expect(asked.slice(3)).toEqual(["cp2", "cp1", "cp1"]);
});

test("where none answers, each is asked", async () => {
  dead.add("cp3").add("cp4");
  await expect(ask("cp3", "cp4")).rejects.toThrow(UnreachableError);
  expect(asked).toEqual(["cp3", "cp4"]);
});

test("what a control plane says is told, and no other is asked", async () => {
  vi.mocked(runDirectly).mockRejectedValueOnce(new MachineError(fault("cp5", "kubectl failed")));
  await expect(ask("cp5", "cp6")).rejects.toThrow("kubectl failed");
  expect(asked).toEqual([]);
});
