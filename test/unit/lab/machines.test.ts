import { readFileSync } from "node:fs";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { machineNamed, machines, network, users } from "../../../lab/machines.ts";
import { versions } from "../../../lab/versions.ts";

test("every machine has a name and an address of its own in the lab's network", () => {
  expect(new Set(machines.map((machine) => machine.name)).size).toBe(machines.length);
  expect(new Set([network.address, ...machines.map((machine) => machine.address)]).size).toBe(machines.length + 1);
  for (const { name, address } of machines) {
    // "tap-" before it must fit the kernel's 15 characters for a link.
    expect(name).toMatch(/^[a-z][a-z0-9-]{0,10}$/);
    expect(ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network.address), network.prefixLength)).toBe(true);
  }
});

test("one user's sudo asks for no password, another's does, and both can be written into the machines", () => {
  expect(users.some((user) => user.password === undefined)).toBe(true);
  expect(users.some((user) => user.password !== undefined)).toBe(true);
  const sudoers = readFileSync(join(import.meta.dirname, "../../../lab/machines/overlay/etc/sudoers.d/lab"), "utf8");
  for (const { name, password } of users) expect(sudoers.includes(`${name} ALL=`), name).toBe(password === undefined);
});

test("the machines' only package source is the lab's mirror, for the release that they are made from", () => {
  const sources = readFileSync(join(import.meta.dirname, "../../../lab/machines/overlay/etc/apt/sources.list.d/debian.sources"), "utf8");
  expect(sources.match(/^URIs: (.*)$/gm)).toEqual([`URIs: http://${network.address}/debian`]);
  expect(sources).toContain(`\nSuites: ${versions.debian}\n`);
});

test("an unknown name is refused with the names there are", () => {
  expect(() => machineNamed("cp9")).toThrow('the lab has no machine "cp9"; it has cp1, cp2');
});
