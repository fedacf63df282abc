import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as lab from "../../lab/api.ts";
import { sudo } from "../lab/machine.ts";

// Disks that are kept at a point, so that a story can begin there again and again.
const machines = ["w1", "w2"];
const set = "test-frozen-disks";

beforeAll(async () => {
  await lab.down();
  await lab.up(machines);
});

afterAll(async () => {
  lab.deleteFrozen(set);
  await lab.down();
});

const written = (machine: string) => sudo(machine, "cat /root/written");

describe("a frozen set of disks", () => {
  test("starts where it was frozen, as often as it is wanted, with the same host keys", async () => {
    const { hostKey } = lab.sshTarget("w1");
    for (const machine of machines) await sudo(machine, `echo before ${machine} > /root/written`);
    await lab.freeze(set, machines);
    expect([...lab.frozenMachines(set)].sort()).toEqual(machines);
    for (const time of [1, 2]) {
      await lab.up(machines, { from: set });
      for (const machine of machines) expect((await written(machine)).stdout, `time ${time}`).toBe(`before ${machine}`);
      await sudo("w1", "echo after > /root/written");
      expect((await written("w1")).stdout).toBe("after");
    }
    expect(lab.sshTarget("w1").hostKey).toBe(hostKey);
  });

  test("is refused for a machine that it does not have", async () => {
    await expect(lab.up(["w3"], { from: set })).rejects.toThrow(/cannot start w3; it has w1, w2/);
  });
});
