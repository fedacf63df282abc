import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as lab from "../../lab/api.ts";
import { floatingAddress } from "../../lab/machines.ts";
import { controlPlanesReady, holders, members, voters } from "../lab/etcd.ts";
import { sudo, until } from "../lab/machine.ts";
import { ControlPlanes, kubectl } from "./stack.ts";

// What takes too long for every run of CI: the API's address when machines hang, and a destroy without a quorum. The tests are the
// chapters of one story.
const three = ["cp1", "cp2", "cp3"];

let cluster: ControlPlanes;

beforeAll(async () => {
  cluster = await ControlPlanes.open("endpoint", three);
});

afterAll(() => cluster.close());

describe("three control planes behind an address that floats", () => {
  test("come up as three voters, and one of them has the address", async () => {
    await cluster.up(three);
    expect(await members("cp3")).toEqual(voters(...three));
    expect(await holders(three)).toHaveLength(1);
  });

  test("the machine that has the API's address hangs: another one takes it, and there is one holder when it goes on", async () => {
    const [holder] = await holders(three);
    const others = three.filter((machine) => machine !== holder);
    lab.pause(holder!);
    try {
      await until(60, "another holder", async () => (await holders(others)).length === 1);
      await until(60, "an answer at the address", async () => (await kubectl(others[0]!, `--server https://${floatingAddress}:6443 --tls-server-name kubernetes-api.internal get --raw /readyz`)).exitCode === 0);
    } finally {
      lab.resume(holder!);
    }
    await until(120, "one holder", async () => (await holders(three)).length === 1);
    await until(900, "all control planes", () => controlPlanesReady(three));
  });

  test("status tells who is what, and that one may fail", async () => {
    const { exitCode, output } = await cluster.stack.cli(["status", "--stack", "endpoint"]);
    expect(exitCode, output).toBe(0);
    for (const machine of three) expect(output).toContain(machine);
    console.log(output);
  });

  test("without a quorum the address stays on who is left, and with the quorum the API is back at one holder", async () => {
    const [stays, ...hang] = three as [string, ...string[]];
    const address = `--server https://${floatingAddress}:6443 --tls-server-name kubernetes-api.internal get --raw /readyz`;
    for (const machine of hang) lab.pause(machine);
    try {
      await until(60, "the address on the one that is left", async () => (await holders([stays])).length === 1);
      expect((await kubectl(stays, address)).exitCode).not.toBe(0);
    } finally {
      for (const machine of hang) lab.resume(machine);
    }
    await until(120, "one holder", async () => (await holders(three)).length === 1);
    await until(900, "all control planes", () => controlPlanesReady(three));
    expect((await kubectl(stays, address)).stdout).toBe("ok");
  });

  test("destroy asks no quorum: two of three are dead, and the third is given back", async () => {
    const [stays, ...dead] = three as [string, ...string[]];
    await Promise.all(dead.map((machine) => lab.powerOff(machine, { hard: true })));
    const { exitCode, output } = await cluster.stack.run(["destroy", "--yes", "--skip-preview", "--non-interactive"]);
    expect(exitCode, output).toBe(0);
    for (const machine of dead) expect(output).toContain(`${machine} is not given back`);
    expect((await sudo(stays, "test -e /var/lib/pulumi-kubeadm || test -e /etc/kubernetes")).exitCode).not.toBe(0);
  });
});
