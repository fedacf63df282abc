import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeKey } from "./root-shell.ts";
import { Site } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

let site: Site;
let stack: Stack;

beforeEach(() => {
  site = new Site();
  stack = new Stack(site);
});

afterEach(async () => {
  stack.close();
  await site.close();
});

describe("preflight", () => {
  test("tells every fault of every machine in one output, and no machine is touched", async () => {
    const cp1 = await site.machine("cp1", "10.0.0.11");
    const closed = await site.machine("closed", "10.0.0.21");
    const changed = await site.machine("changed", "10.0.0.22");
    const refusing = await site.machine("refusing", "10.0.0.23");
    const foreign = await site.machine("foreign", "10.0.0.24");
    const healthy = await site.machine("healthy", "10.0.0.25");
    cp1.facts = { memoryMegabytes: 1024, listeners: [{ protocol: "tcp", port: 6443, process: "haproxy (process 7)" }] };
    await closed.shell.stop();
    refusing.authorizedKey = makeKey().public;
    foreign.facts = { cluster: ["/etc/kubernetes/kubelet.conf"] };

    const other = makeKey().public;
    const config = configOf(site, [cp1, closed, changed, refusing, foreign, healthy]);
    config.workers = config.workers!.map((machine) => (machine.name === "changed" ? { ...machine, hostKey: other } : machine));
    await stack.open(config);
    const output = await stack.fail("up", "--yes");

    expect(output).toMatch(/cp1: the machine has 1024 MB of memory.*\[Mem\]/);
    expect(output).toMatch(/cp1: tcp port 6443 is in use by haproxy \(process 7\) \[Port-6443\]/);
    expect(output).toMatch(/closed: ops@127\.0\.0\.1:\d+ refuses the connection/);
    expect(output).toMatch(/changed: ops@127\.0\.0\.1:\d+ shows another host key than the one that is known/);
    expect(output).toContain(`to "${changed.shell.hostKey}"`);
    expect(output).toMatch(/refusing: ops@127\.0\.0\.1:\d+ refused every key that was tried: the environment variable TEST_SSH_KEY/);
    expect(output).toMatch(/foreign: the machine is, or was, part of another cluster: \/etc\/kubernetes\/kubelet\.conf/);
    expect(output).not.toMatch(/healthy:.*\n\s*Why:/);
    expect(output.match(/Next: /g)).toHaveLength(6);
    expect(output).not.toMatch(/^\s+at .*\(/m);
    expect(site.journal.all).toEqual([]);
    expect(stack.state.has("cp1-claim")).toBe(false);
  });

  test("tells of a private key that cannot be read where it is", async () => {
    const cp1 = await site.machine("cp1", "10.0.0.11");
    const missing = join(stack.directory, "no-such-key");
    await stack.open({ ...configOf(site, [cp1]), ssh: { user: "ops", privateKeyPath: missing } });
    const output = await stack.fail("up", "--yes");
    expect(output).toContain(`cp1: the private key ${missing} cannot be read: it does not exist`);
    expect(output).toMatch(/Next: correct ssh\.privateKeyPath/);
    expect(site.journal.all).toEqual([]);
  });
});
