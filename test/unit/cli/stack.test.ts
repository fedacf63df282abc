import { describe, expect, test } from "vitest";
import { clusterOf } from "../../../cli/stack.ts";
import { member, settings } from "./control-planes.ts";

const type = (kind: string) => `pulumi-nodejs:dynamic/kubeadm:${kind}`;
const controlPlane = (name: string, more = {}) => ({
  type: type("ControlPlane"),
  outputs: { cluster: { ...settings, name, owner: `project/dev/${name}` }, members: [member("cp1")], leaving: [], caCertHash: "sha256:a", ...more },
});
const worker = (name: string, cluster: string) => ({ type: type("Worker"), outputs: { machine: { name }, cluster: { owner: `project/dev/${cluster}` } } });
const exported = (...resources: object[]) => ({ version: 3, deployment: { resources: [{ type: "pulumi:pulumi:Stack" }, ...resources] } });

describe("the cluster of a stack", () => {
  test("is read with its machines and workers", () => {
    expect(clusterOf(exported(controlPlane("lab"), worker("w1", "lab")), {})).toMatchObject({
      cluster: { name: "lab" },
      members: [{ name: "cp1", target: { host: "10.0.0.11" } }],
      leaving: [],
      caCertHash: "sha256:a",
      workers: ["w1"],
    });
  });

  test("half-made has no hash yet, and nobody who left", () => {
    expect(clusterOf(exported(controlPlane("lab", { caCertHash: undefined, leaving: undefined })), {})).toMatchObject({ leaving: [], caCertHash: undefined });
  });

  test("of several is the one that is named, with its own workers", () => {
    const stack = exported(controlPlane("a"), worker("wa", "a"), controlPlane("b"), worker("wb", "b"));
    expect(clusterOf(stack, { cluster: "b" })).toMatchObject({ cluster: { name: "b" }, workers: ["wb"] });
    expect(() => clusterOf(stack, {})).toThrow("The stack has several clusters: a, b. Next: name one with --cluster.");
    expect(() => clusterOf(stack, { cluster: "c" })).toThrow("The stack has no cluster c: its clusters are a, b.");
  });

  test("is missing from a stack that was destroyed", () => {
    expect(() => clusterOf({ version: 3, deployment: {} }, {})).toThrow("The stack has no control plane. Next: name another stack with --stack");
  });

  test("whose machines are encrypted is told as that", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
    expect(() => clusterOf(exported(controlPlane("lab", { members: secret })), {})).toThrow("are they secrets?");
  });

  test("that is about to be replaced does not count twice", () => {
    expect(clusterOf(exported(controlPlane("lab"), { ...controlPlane("lab"), delete: true }), {}).cluster.name).toBe("lab");
  });
});
