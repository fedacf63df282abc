import { describe, expect, test } from "vitest";
import { nextStep, type MemberState } from "../../../quorum/next-step.ts";

const none = (name: string): MemberState => ({ name, controlPlane: "none" });
const unfinished = (name: string): MemberState => ({ name, controlPlane: "unfinished" });
const cluster = (name: string, caCertHash = "sha256:a", ready = true): MemberState => ({ name, controlPlane: { caCertHash, ready } });

describe("the next step of a control plane", () => {
  test("a cluster is started where there is none", () => {
    expect(nextStep([none("cp1")], undefined)).toMatchObject({ kind: "start", member: "cp1" });
  });

  test("an init that did not end is started again", () => {
    expect(nextStep([unfinished("cp1")], undefined)).toMatchObject({ kind: "start", member: "cp1" });
  });

  test("a cluster that is there and ready is left alone, also when the state has not heard of it", () => {
    expect(nextStep([cluster("cp1")], "sha256:a")).toEqual({ kind: "nothing" });
    expect(nextStep([cluster("cp1")], undefined)).toEqual({ kind: "nothing" });
  });

  test("a cluster whose apiserver is not ready is brought to readiness", () => {
    expect(nextStep([cluster("cp1", "sha256:a", false)], "sha256:a")).toMatchObject({ kind: "start", member: "cp1", reason: expect.stringContaining("not ready") });
  });

  test("a control plane that is not ours is never cleared", () => {
    expect(nextStep([{ name: "cp1", controlPlane: "foreign" }], undefined)).toMatchObject({ kind: "refuse", reason: expect.stringContaining("did not make") });
  });

  test("a cluster that is gone from every machine is not silently replaced by a new one", () => {
    expect(nextStep([none("cp1")], "sha256:a")).toMatchObject({ kind: "refuse", next: expect.stringContaining("pulumi destroy") });
  });

  test("another cluster than the known one stops everything", () => {
    expect(nextStep([cluster("cp1", "sha256:b")], "sha256:a")).toMatchObject({ kind: "refuse", reason: expect.stringContaining("cp1 runs the control plane of another cluster") });
  });

  test("two clusters on the configured machines stop everything, whatever is known", () => {
    expect(nextStep([cluster("cp1"), cluster("cp2", "sha256:b")], undefined).kind).toBe("refuse");
    expect(nextStep([cluster("cp1"), cluster("cp2", "sha256:b")], "sha256:a")).toMatchObject({ kind: "refuse", reason: expect.stringContaining("cp2") });
  });

  test("where one machine has the cluster, no other one is initialised", () => {
    expect(nextStep([none("cp1"), cluster("cp2", "sha256:a", false)], "sha256:a")).toMatchObject({ kind: "start", member: "cp2" });
  });
});
