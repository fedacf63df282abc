import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Site, type ScriptedMachine } from "./scripted-machine.ts";
import { configOf, Stack } from "./stack.ts";

let site: Site;
let stack: Stack;
let machines: ScriptedMachine[];

beforeAll(async () => {
  site = new Site();
  machines = [await site.machine("cp1", "10.0.0.11"), await site.machine("w1", "10.0.0.21")];
  stack = await new Stack(site).open(configOf(site, machines));
});

afterAll(async () => {
  stack.close();
  await site.close();
});

describe("a configuration with faults", () => {
  test("is refused with every fault at once, each with its path, and no machine is connected to", async () => {
    const [cp1, w1] = configOf(site, machines).controlPlanes.concat(configOf(site, machines).workers ?? []);
    stack.configure({
      kubernetesVersion: "1.30",
      kubeProxymode: "nftables",
      ssh: { user: "ops", privateKeyPaht: "~/.ssh/id_ed25519" },
      controlPlanes: [cp1, { ...w1, name: "cp2" }],
      workers: [
        { ...w1, name: "cp1", clusterAddress: "10.0.0.22" },
        { name: "w2", clusterAddress: "10.0.0.23" },
      ],
      network: { podSubnet: "10.96.0.0/16" },
    });
    const output = await stack.fail("up", "--yes");
    for (const fault of [
      /kubeProxymode: is no setting; did you mean kubeProxyMode\?/,
      /ssh\.privateKeyPaht: is no setting; did you mean privateKeyPath\?/,
      /kubernetesVersion: must be of a supported minor: 1\.35, 1\.36, 1\.37/,
      /controlPlanes: 2 control planes need 2 alive/,
      /endpoint\.vip: is required with 2 control planes/,
      /workers\[0\]\.name: cp1 is cp1's already/,
      /workers\[0\]\.host: 127\.0\.0\.1 port \d+ is cp2's already/,
      /workers\[1\]\.host: is required/,
      /network\.serviceSubnet: 10\.96\.0\.0\/12 overlaps the pods' network 10\.96\.0\.0\/16/,
    ]) {
      expect(output).toMatch(fault);
    }
    expect(output).toMatch(/The configuration has 9 faults; nothing was touched/);
    expect(output).toMatch(/Next: correct Pulumi\.test\.yaml/);
    expect(output).not.toMatch(/^\s+at .*\(/m);
    expect(machines.map(({ shell }) => shell.connections)).toEqual([0, 0]);
  });
});

describe("an encrypted setting", () => {
  test("is refused by its name, also where only a part of it is encrypted, and no machine is connected to", async () => {
    stack.configure(configOf(site, machines));
    await stack.succeed("config", "set", "--secret", "kubernetesVersion", "1.37");
    await stack.succeed("config", "set", "--secret", "--path", "ssh.user", "secret-user");
    const output = await stack.fail("preview");
    expect(output).toMatch(/error: kubernetesVersion, ssh: a setting stands readable in the state/);
    expect(output).toMatch(/Next: write it without `secure:` in Pulumi\.test\.yaml/);
    expect(output).not.toContain("secret-user");
    expect(machines.map(({ shell }) => shell.connections)).toEqual([0, 0]);
  });
});
