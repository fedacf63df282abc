import { describe, expect, test } from "vitest";
import { noHalt } from "../../../classroom/halt.ts";
import type { Look } from "../../../classroom/look.ts";
import { lossesOf, reset, wayOf, type Way } from "../../../classroom/reset.ts";
import type { Outcome, StudentStack } from "../../../classroom/stacks.ts";
import { clusterIn } from "../../../classroom/stacks/remembered.ts";
import type { SshTarget } from "../../../machine/target.ts";
import { healthy } from "../preflight/observation.ts";

const student = { id: "s07", machines: [{ host: "192.0.2.107" }], line: 8 };
const fine: Outcome = { ok: true, seconds: 10, warnings: [] };
const broken: Outcome = { ok: false, seconds: 5, failure: { kind: "failed", problem: "broken", details: "broken" } };

/** A stack that remembers whether there is a cluster, and writes down what is done to it. */
function stackWith(hasCluster: boolean, ends: Record<string, Outcome> = {}) {
  const done: string[] = [];
  const did = (what: string) => async () => (done.push(what), ends[what] ?? fine);
  const stack = { remembered: async () => ({ exists: hasCluster }), up: did("up"), removeCluster: did("remove"), destroy: did("destroy"), onMachines: did("machines") };
  return { done, stack: stack as Partial<StudentStack> as StudentStack };
}

const look: Look = { student, machine: "s07", host: "192.0.2.107", target: {} as SshTarget, owner: "p/s/c", facts: { ...healthy("10.0.0.11"), owner: "p/s/c" } };

describe("how a student's cluster is made anew", () => {
  test("by wiping the machines, where no cluster of the stack is", async () => {
    expect(await wayOf(stackWith(false).stack, "cluster", "packages")).toEqual({ kind: "wipe", prepareTo: "packages" });
    expect(await wayOf(stackWith(false).stack, "new-ca", "cluster")).toEqual({ kind: "wipe", prepareTo: "cluster" });
  });

  test("with a new CA, where it is asked for or the old one cannot stay, and then with the reason", async () => {
    expect(await wayOf(stackWith(true).stack, "new-ca", "cluster")).toEqual({ kind: "new-ca" });
    expect(await wayOf(stackWith(true).stack, "cluster", "cluster")).toEqual({ kind: "new-ca", why: expect.stringContaining("one control plane") });
    expect(await wayOf(stackWith(true).stack, "cluster", "runtime")).toEqual({ kind: "new-ca", why: expect.stringContaining("prepared to runtime") });
  });

  test.each<[Way, string[]]>([
    [{ kind: "wipe", prepareTo: "cluster" }, ["machines", "up"]],
    [{ kind: "new-ca" }, ["remove", "machines", "up"]],
    [{ kind: "bare" }, ["destroy", "up"]],
  ])("%j does %j, and nothing more after what fails", async (way, parts) => {
    const { done, stack } = stackWith(true);
    expect(await reset(stack, way, [look], () => {}, noHalt)).toMatchObject({ ok: true, seconds: 10 * parts.length });
    expect(done).toEqual(parts);
    const failing = stackWith(true, { [parts[0]!]: broken });
    expect(await reset(failing.stack, way, [look], () => {}, noHalt)).toMatchObject({ ok: false, seconds: 5 });
    expect(failing.done).toEqual(parts.slice(0, 1));
  });

  test("not at all while a machine does not answer", async () => {
    const { done, stack } = stackWith(true);
    const { facts: _, ...silent } = look;
    expect(await reset(stack, { kind: "new-ca" }, [{ ...silent, fault: { kind: "unreachable", problem: "does not answer", next: "x" } }], () => {}, noHalt)).toMatchObject({ ok: false });
    expect(done).toEqual([]);
  });

  test("a machine that somebody else has is not wiped", async () => {
    const { done, stack } = stackWith(false);
    await reset(stack, { kind: "wipe", prepareTo: "cluster" }, [{ ...look, facts: { ...look.facts!, owner: "" } }], () => {}, noHalt);
    expect(done).toEqual(["up"]);
  });
});

describe("what a reset says that it takes", () => {
  const made = { controlPlane: {}, flannel: {}, workers: [], caCertHash: "x" } as never;
  test.each<[Way, "lost" | "kept"]>([
    [{ kind: "renew", made, caCert: "" }, "kept"],
    [{ kind: "new-ca", why: "its key is gone" }, "lost"],
    [{ kind: "bare" }, "lost"],
  ])("%j: what becomes of kubeconfigs that were handed out is %s", (way, where) => expect(lossesOf(way)[where]).toContain("handed out"));
  test("and why the CA cannot stay", () => expect(lossesOf({ kind: "new-ca", why: "its key is gone" }).lost).toContain("(its key is gone)"));
});

describe("the cluster that a stack's state remembers", () => {
  const resource = (kind: string, outputs: object = {}) => ({ urn: `urn:pulumi:x::y::${kind}::z`, type: `pulumi-nodejs:dynamic/kubeadm:${kind}`, outputs: { status: "ok", ...outputs } });
  const whole = (members: readonly string[]) => [resource("ControlPlane", { members, caCertHash: "sha256:a", leaving: [] }), resource("Flannel", { nodes: ["s07"] }), resource("Worker", { machine: { name: "w1" } })];

  test("can be made anew as the same when it has one control plane and is finished", () => {
    const made = { caCertHash: "sha256:a", flannel: { nodes: ["s07"] }, workers: [{ machine: { name: "w1" } }] };
    expect(clusterIn({ resources: whole(["s07"]) })).toMatchObject({ exists: true, made });
    expect(clusterIn({ resources: whole(["a", "b", "c"]) })).toEqual({ exists: true });
    expect(clusterIn({ resources: [...whole(["s07"]), resource("Stage", { status: "partial" })] })).toEqual({ exists: true });
    expect(clusterIn({ resources: whole(["s07"]), pending_operations: [{}] })).toEqual({ exists: true });
    expect(clusterIn({ resources: whole(["s07"]).slice(0, 1) })).toEqual({ exists: true });
    expect(clusterIn(undefined)).toEqual({ exists: false });
  });
});
