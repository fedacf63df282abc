import { hostname } from "node:os";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { listener } from "../../../classroom/stacks/events.ts";
import { failureOf } from "../../../classroom/stacks/failure.ts";
import { areStale, locksIn } from "../../../classroom/stacks/lock.ts";
import { writeStackSettings } from "../../../classroom/stacks/settings-file.ts";
import { openTcp, dial } from "../../../machine/dial.ts";
import type { Reporter } from "../../../machine/reporter.ts";

describe("what an engine's errors come to", () => {
  test("a stage that failed: its cause and its next step, without the engine's words", () => {
    const message = "1 error occurred:\n\t* s01: container-runtime: containerd.io could not be installed\nErr:1 https://x\nLog on s01: /var/log/x.log\nNext: open the way\n\n";
    expect(failureOf([message, "update failed\n"], "pulumi ended with 255")).toEqual({
      kind: "failed",
      problem: "s01: container-runtime: containerd.io could not be installed",
      next: "open the way",
      details: message.replace("1 error occurred:\n\t* ", "").trim(),
    });
  });

  test("faults of preflight: the first one, and how many more there are", () => {
    const fault = (text: string) => `pulumi-nodejs:dynamic/kubeadm:Preflight resource 'cka-s01-preflight' has a problem: s01: ${text}`;
    expect(failureOf([fault("it has 1024 MB [Memory]\n  Why: kubeadm needs more.\n  Next: give it more."), fault("swap is on [Swap]\n  Next: switch it off.")], "")).toMatchObject({
      kind: "failed",
      problem: "s01: it has 1024 MB [Memory] (and 1 more)",
      next: "give it more.",
    });
  });

  test("nothing but what the CLI printed", () => {
    expect(failureOf([], "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE")).toMatchObject({ kind: "environment" });
    expect(failureOf(["update failed"], "")).toMatchObject({ kind: "failed", problem: "pulumi failed and said nothing" });
  });

  test("a machine that does not answer is worth another try; the words are those of the connection itself", async () => {
    const silent: Reporter = { progress: () => {}, info: () => {}, warn: () => {} };
    const endpoint = { machine: "s01", label: "ops@127.0.0.1:1", hostKeySetting: "", host: "127.0.0.1", port: 1, user: "ops", hostKeys: "pin", knownHostsPath: "" } as const;
    process.env.CLASSROOM_TEST_KEY = (await import("../../keys.ts")).generateKey().private;
    const error = (await dial({ ...endpoint, auth: { privateKeyEnv: "CLASSROOM_TEST_KEY", agent: false } }, openTcp("127.0.0.1", 1), 1, silent).catch((reason: unknown) => reason)) as Error;
    expect(failureOf([error.message], "")).toMatchObject({ kind: "unreachable", problem: "s01: connect: ops@127.0.0.1:1 refuses the connection (tried for 1 s)" });
  });

  test.each([
    ["s01: dpkg (process 812) holds the lock of apt or dpkg [PackageLock]\n  Next: wait until it has ended", "unreachable"],
    ["s01: the registry for ghcr.io cannot be reached: https://mirror/v2/: status 503 [Registry]", "unreachable"],
    ["s01: container-runtime: containerd.io could not be installed: a package repository cannot be reached", "unreachable"],
    ['s01: kubernetes-packages: image a/b:c cannot be pulled: failed to do request: Head "https://mirror/v2/": dial tcp: i/o timeout', "unreachable"],
    ["s01: kubernetes-packages: image a/b:c cannot be pulled: unexpected status from HEAD request to https://mirror/v2/b: 503 Service Unavailable", "unreachable"],
    ["s01: kubernetes-packages: image a/b:c cannot be pulled: a/b:c: not found", "failed"],
    ["s01: the image a/b:c is not in the registry (https://mirror/v2/ answers 404) [ImagePull]", "failed"],
  ])("a mirror that is busy with a whole class is worth another try, one that lacks something is not: %s", (message, kind) => {
    expect(failureOf([message], "")).toMatchObject({ kind });
  });
});

describe("a stack's lock", () => {
  const message = (host: string, pid: number) =>
    `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with 'pulumi cancel'.\n  file:///x/locks/a.json: created by kim@${host} (pid ${pid}) at 2026-11-21T13:00:00+09:00`;

  test("is read with its holder", () => {
    expect(locksIn(message("vm1", 42))).toEqual([{ user: "kim", host: "vm1", pid: 42, since: "2026-11-21T13:00:00+09:00" }]);
    expect(locksIn("[409] Conflict: Another update is currently in progress.")).toEqual([]);
  });

  test("is stale only when this computer's process is gone", () => {
    const gone = () => false;
    expect(areStale(locksIn(message(hostname(), 42)), gone)).toBe(true);
    expect(areStale(locksIn(message(hostname(), 42)), () => true)).toBe(false);
    expect(areStale(locksIn(message("another-computer", 42)), gone)).toBe(false);
    expect(areStale([], gone)).toBe(false);
    // This process runs, and is no pulumi.
    expect(areStale(locksIn(message(hostname(), process.pid)))).toBe(true);
  });
});

describe("a stack's file", () => {
  test("gets the configuration, keeps what secrets are encrypted with, and is the operator's only", () => {
    const project = mkdtempSync(join(tmpdir(), "classroom-"));
    try {
      const path = join(project, "Pulumi.cka-s01.yaml");
      writeFileSync(path, "encryptionsalt: v1:abc\nconfig:\n  pulumi-kubeadm:old: 1\n");
      const machine = { name: "s01", host: "192.0.2.11" };
      writeStackSettings(project, "pulumi-kubeadm", "cka-s01", { kubernetesVersion: "1.37", controlPlanes: [machine], workers: [machine] }, "class.yaml");
      const written = readFileSync(path, "utf8");
      expect(parse(written)).toEqual({
        encryptionsalt: "v1:abc",
        config: { "pulumi-kubeadm:kubernetesVersion": "1.37", "pulumi-kubeadm:controlPlanes": [machine], "pulumi-kubeadm:workers": [machine] },
      });
      expect(written).toMatch(/^# Made from class.yaml/);
      expect(written).not.toMatch(/[&*]\w/);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(project, { recursive: true });
    }
  });
});

describe("what is heard from the engine", () => {
  test("is shown with the part of the cluster that it is about, and errors and warnings are kept", () => {
    const lines: string[] = [];
    const { heard, onEvent } = listener(["cka-s01", "s01"], (line) => lines.push(line));
    const urn = (name: string) => `urn:pulumi:cka-s01::pulumi-kubeadm::kubeadm:index:Cluster$pulumi-nodejs:dynamic/kubeadm:Stage::${name}`;
    const event = (rest: object) => onEvent({ sequence: 0, timestamp: 0, ...rest });
    const diagnostic = (severity: string, message: string, name?: string) => event({ diagnosticEvent: { severity, message, color: "never", ...(name && { urn: urn(name) }) } });
    event({ resourcePreEvent: { metadata: { op: "create", urn: urn("s01-kernel"), type: "pulumi-nodejs:dynamic/kubeadm:Stage" } } });
    event({ resourcePreEvent: { metadata: { op: "same", urn: urn("s01-names"), type: "pulumi-nodejs:dynamic/kubeadm:Stage" } } });
    event({ resourcePreEvent: { metadata: { op: "create", urn: urn("s01"), type: "kubeadm:index:Machine" } } });
    diagnostic("info", "kubeadm init: pulling images, 12 s\n", "cka-s01-control-plane");
    diagnostic("debug", "Registering resource", undefined);
    diagnostic("warning", "using pulumi-resource-pulumi-nodejs from $PATH", undefined);
    diagnostic("warning", "s01 is not given back: it does not answer", "s01-names");
    diagnostic("error", "1 error occurred: x\n", "s01-kernel");
    expect(lines).toEqual(["kernel", "control-plane: kubeadm init: pulling images, 12 s"]);
    expect(heard).toEqual({ errors: ["1 error occurred: x"], warnings: ["s01 is not given back: it does not answer"] });
  });
});
