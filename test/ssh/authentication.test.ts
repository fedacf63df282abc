import { execFileSync, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../machine/connection.ts";
import type { SshAuth } from "../../machine/target.ts";
import { cleanUp, failureOf, folder, machine, recorder, setVariable, targetOf, until } from "./helpers.ts";
import { generateKey, type KeyPair } from "../keys.ts";

function fileWith(text: string): string {
  const path = join(folder(), "key");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** A login at a machine that knows one key. */
async function logIn(key: KeyPair, auth: SshAuth): Promise<void> {
  const fake = await machine({ authorizedKeys: [key.public] });
  await connect(targetOf(fake, { auth }), recorder());
  expect(fake.logins).toBe(1);
}

const messageFor = async (auth: SshAuth) => (await failureOf(connect(targetOf({ port: 1 }, { auth }), recorder()))).message;

test.each(["ed25519", "ecdsa", "rsa"] as const)("a key file of the kind %s logs in", async (kind) => {
  const key = generateKey(kind);
  await logIn(key, { privateKeyPath: fileWith(key.private), agent: false });
});

test("~ in the path of a key is the home directory", async () => {
  setVariable("HOME", folder());
  const key = generateKey();
  writeFileSync(join(homedir(), "id"), key.private);
  await logIn(key, { privateKeyPath: "~/id", agent: false });
});

test("a key in an environment variable logs in, also when its last line break was lost", async () => {
  const key = generateKey();
  setVariable("TEST_KEY", key.private.trimEnd());
  await logIn(key, { privateKeyEnv: "TEST_KEY", agent: false });
});

test("an encrypted key opens with the passphrase from the environment", async () => {
  const key = generateKey("ed25519", "open sesame");
  setVariable("TEST_PASSPHRASE", "open sesame");
  await logIn(key, { privateKeyPath: fileWith(key.private), passphraseEnv: "TEST_PASSPHRASE", agent: false });
});

test("a key in the ssh-agent logs in, and when it is refused the message names it", async () => {
  const socket = join(folder(), "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  cleanUp(() => agent.kill());
  setVariable("SSH_AUTH_SOCK", socket);
  // Its socket is there a moment before it listens; ssh-add(1): 1 is an agent without keys, 2 is none.
  await until(() => spawnSync("ssh-add", ["-l"], { stdio: "ignore" }).status === 1, "the agent");
  expect(await messageFor({ agent: true })).toContain("the ssh-agent holds no key");
  const key = generateKey();
  execFileSync("ssh-add", ["-q", fileWith(key.private)], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });
  await logIn(key, { agent: true });
  const fake = await machine({ authorizedKeys: [generateKey().public] });
  const error = await failureOf(connect(targetOf(fake, { auth: { agent: true } }), recorder()));
  expect(error.message).toMatch(/refused every key that was tried: .* in the ssh-agent \(ssh-ed25519 SHA256:/);
});

test("an agent that does not answer is no obstacle when there is a key file", async () => {
  setVariable("SSH_AUTH_SOCK", join(folder(), "dead"));
  const key = generateKey();
  await logIn(key, { privateKeyPath: fileWith(key.private), agent: true });
  expect(await messageFor({ agent: true })).toContain("does not answer");
});

test("a key that cannot be used is told before anybody is asked, with what to do", async () => {
  setVariable("TEST_UNSET", undefined);
  setVariable("TEST_PASSPHRASE", "wrong");
  setVariable("SSH_AUTH_SOCK", undefined);
  const encrypted = fileWith(generateKey("ed25519", "open sesame").private);
  const publicOnly = fileWith(generateKey().public);
  expect(await messageFor({ privateKeyPath: "/nowhere/id", agent: false })).toContain("the private key /nowhere/id cannot be read: it does not exist\nNext: ");
  expect(await messageFor({ privateKeyPath: encrypted, agent: false })).toMatch(/is encrypted and no passphrase is given\nNext: set ssh\.passphraseEnv/);
  expect(await messageFor({ privateKeyPath: encrypted, passphraseEnv: "TEST_UNSET", agent: false })).toContain("TEST_UNSET, which holds the passphrase");
  expect(await messageFor({ privateKeyPath: encrypted, passphraseEnv: "TEST_PASSPHRASE", agent: false })).toContain("does not open with the passphrase in TEST_PASSPHRASE");
  expect(await messageFor({ privateKeyPath: publicOnly, agent: false })).toContain("holds no private key");
  expect(await messageFor({ privateKeyEnv: "TEST_UNSET", agent: false })).toContain("TEST_UNSET, which holds the private key, is not set");
  expect(await messageFor({ agent: true })).toContain("SSH_AUTH_SOCK is not set");
  expect(await messageFor({ agent: false })).toContain("no private key is given");
});
