import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as lab from "../../lab/api.ts";
import { projectDirectory } from "../../lab/pulumi.ts";
import { members, voters } from "../lab/etcd.ts";
import { balance, balancer } from "./balancer.ts";
import { ControlPlanes } from "./stack.ts";

// Too long for every run of CI: two processors carry five control planes, and no more. The tests are the chapters of one story.
const five = ["cp1", "cp2", "cp3", "cp4", "cp5"];
const three = five.slice(0, 3);
const two = five.slice(3);

let cluster: ControlPlanes;

const notGivenBack = () => readdirSync(join(projectDirectory, "not-given-back")).sort();

beforeAll(async () => {
  // Its checks cost five small machines less than those of keepalived.
  cluster = await ControlPlanes.open("five", [...five, balancer.name], { external: balancer.address });
  await balance(five);
});

afterAll(() => cluster.close());

describe("five control planes", () => {
  test("three grow to five voters, one joining after the other", async () => {
    await cluster.up(three);
    const output = await cluster.up(five);
    expect(output).toMatch(/1\. snapshot first, then join cp4 +voters 3 -> 4 +quorum 2 -> 3 +tolerance 1 -> 1/);
    expect(output).toMatch(/2\. snapshot first, then join cp5 +voters 4 -> 5 +quorum 3 -> 3 +tolerance 1 -> 2/);
    expect(await members("cp5")).toEqual(voters(...five));
  });

  test("two of five die, and pristine machines take their places: both dead members leave before the first of the new ones joins", async () => {
    await Promise.all(two.map((machine) => lab.powerOff(machine, { hard: true })));
    await Promise.all(two.map((machine) => lab.reset(machine)));
    const output = await cluster.up(five);
    const steps = [...output.matchAll(/^ +\d\. (.*?)  /gm)].map(([, step]) => step);
    expect(steps).toEqual([expect.stringMatching(/remove cp[45]/), expect.stringMatching(/remove cp[45]/), "snapshot first, then join cp4", "snapshot first, then join cp5"]);
    expect(await members("cp1")).toEqual(voters(...five));
  });

  test("two of five die for good: both leave, and three voters stay", async () => {
    const before = notGivenBack();
    await Promise.all(two.map((machine) => lab.powerOff(machine, { hard: true })));
    await cluster.up(three);
    expect(await members("cp1")).toEqual(voters(...three));
    expect(notGivenBack().filter((file) => !before.includes(file))).toEqual([expect.stringMatching(/^cp4-/), expect.stringMatching(/^cp5-/)]);
  });
});
