import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../machine/connection.ts";
import { HostKeyError } from "../../machine/errors.ts";
import { describeHostKey } from "../../machine/host-key.ts";
import { knownKeys } from "../../machine/known-hosts.ts";
import { failureOf, folder, machine, recorder, targetOf } from "./helpers.ts";
import { generateKey, type KeyPair } from "../keys.ts";

const textOf = ({ public: line }: KeyPair) => line.split(" ").slice(0, 2).join(" ");
const fingerprint = (key: KeyPair) => describeHostKey(textOf(key)).split(" ")[1]!;
const keys = { ed25519: generateKey("ed25519"), ecdsa: generateKey("ecdsa"), rsa: generateKey("rsa") };
const other = generateKey("ed25519");

function fileWith(...lines: string[]): string {
  const path = join(folder(), "known_hosts");
  writeFileSync(path, lines.join("\n"));
  return path;
}

test("fingerprints are those of ssh-keygen", () => {
  const path = fileWith(keys.ecdsa.public);
  expect(execFileSync("ssh-keygen", ["-lf", path], { encoding: "utf8" })).toContain(fingerprint(keys.ecdsa));
});

test("ed25519 is asked for when a machine has several host keys", async () => {
  const fake = await machine({ hostKeys: [keys.rsa, keys.ecdsa, keys.ed25519] });
  expect((await connect(targetOf(fake), recorder())).hostKey).toBe(textOf(keys.ed25519));
});

test.each(["ed25519", "ecdsa", "rsa"] as const)("a given key of the kind %s is asked for, as text and as fingerprint", async (kind) => {
  const fake = await machine({ hostKeys: [keys.rsa, keys.ecdsa, keys.ed25519] });
  const seen = async (hostKey: string) => (await connect(targetOf(fake, { hostKey }), recorder())).hostKey;
  expect(await seen(textOf(keys[kind]))).toBe(textOf(keys[kind]));
  const again = await machine({ hostKeys: [keys.rsa, keys.ecdsa, keys.ed25519] });
  expect((await connect(targetOf(again, { hostKey: fingerprint(keys[kind]) }), recorder())).hostKey).toBe(textOf(keys[kind]));
});

test("the first contact shows the fingerprint, and only that", async () => {
  const fake = await machine({ hostKeys: [keys.ed25519] });
  const reporter = recorder();
  await connect(targetOf(fake), reporter);
  await connect(targetOf(fake), reporter);
  expect(reporter.informed).toHaveLength(1);
  expect(reporter.informed[0]).toContain(`ssh-ed25519 ${fingerprint(keys.ed25519)}`);
  const pinned = recorder();
  await connect(targetOf(await machine({ hostKeys: [keys.ed25519] }), { hostKey: textOf(keys.ed25519) }), pinned);
  expect(pinned.informed).toEqual([]);
});

test.each([textOf(other), fingerprint(other)])("a changed host key stops at once and shows both fingerprints (%s)", async (hostKey) => {
  const fake = await machine({ hostKeys: [keys.ed25519, keys.rsa] });
  const error = await failureOf(connect(targetOf(fake, { hostKey, connectTimeoutSeconds: 60 }), recorder()));
  expect(error).toBeInstanceOf(HostKeyError);
  expect(error.message).toContain(`known: ${hostKey.startsWith("SHA256") ? "" : "ssh-ed25519 "}${fingerprint(other)}\n`);
  expect(error.message).toContain(`shown: ssh-ed25519 ${fingerprint(keys.ed25519)}\n`);
  expect(error.message).toContain(`set hostKey of cp1 to "${textOf(keys.ed25519)}"`);
  expect(fake.logins).toBe(0);
});

test("a key that changes while the process lives is noticed, though it was taken at first use", async () => {
  const fake = await machine({ hostKeys: [keys.ed25519] });
  const connection = await connect(targetOf(fake), recorder());
  await fake.down();
  const impostor = await machine({ hostKeys: [other], port: fake.port });
  const error = await failureOf(connection.sudo({ script: "true", timeoutSeconds: 10 }));
  expect(error).toBeInstanceOf(HostKeyError);
  expect(impostor.commands).toEqual([]);
});

test("who comes later with another pin is not served by the connection that is there", async () => {
  const fake = await machine({ hostKeys: [keys.ed25519] });
  const first = targetOf(fake);
  await connect(first, recorder());
  expect(await failureOf(connect({ ...first, hostKey: textOf(other) }, recorder()))).toBeInstanceOf(HostKeyError);
});

test("known_hosts: a known key is accepted, and its kind is asked for", async () => {
  const fake = await machine({ hostKeys: [keys.ed25519, keys.rsa] });
  const knownHostsPath = fileWith(`[127.0.0.1]:${fake.port} ${textOf(keys.rsa)}`);
  expect((await connect(targetOf(fake, { hostKeys: "known_hosts", knownHostsPath }), recorder())).hostKey).toBe(textOf(keys.rsa));
});

test("known_hosts: an unknown key is refused with its fingerprint and two ways to accept it; the offered line works", async () => {
  const fake = await machine({ hostKeys: [keys.ed25519] });
  const target = targetOf(fake, { hostKeys: "known_hosts" });
  const error = await failureOf(connect(target, recorder()));
  expect(error).toBeInstanceOf(HostKeyError);
  expect(error.message).toContain(`ssh-ed25519 ${fingerprint(keys.ed25519)}`);
  expect(error.message).toContain(`set hostKey of cp1 to "${textOf(keys.ed25519)}"`);
  const line = /: (\[127\.0\.0\.1\].*)$/.exec(error.message)![1]!;
  writeFileSync(target.knownHostsPath, `${line}\n`);
  await connect(target, recorder());
  expect(fake.logins).toBe(1);
});

test("known_hosts: a changed key and a revoked one are refused", async () => {
  const fake = await machine({ hostKeys: [keys.ed25519] });
  const name = `[127.0.0.1]:${fake.port}`;
  const message = async (line: string) =>
    (await failureOf(connect(targetOf(fake, { hostKeys: "known_hosts", knownHostsPath: fileWith(line) }), recorder()))).message;
  expect(await message(`${name} ${textOf(other)}`)).toMatch(/known: ssh-ed25519 SHA256:.*\n {2}shown: ssh-ed25519 SHA256:/);
  expect(await message(`@revoked ${name} ${textOf(keys.ed25519)}`)).toContain("marks as revoked");
});

test("known_hosts: names are read as OpenSSH writes them: hashed, with port, patterns, negated", () => {
  const path = fileWith(`cp1.example ${textOf(other)}`, `[cp2.example]:2222 ${textOf(other)}`);
  execFileSync("ssh-keygen", ["-H", "-f", path], { stdio: "ignore" });
  const hashed = execFileSync("cat", [path], { encoding: "utf8" });
  expect(hashed).not.toContain("example");
  expect(knownKeys(hashed, "CP1.example", 22)).toHaveLength(1);
  expect(knownKeys(hashed, "cp2.example", 2222)).toHaveLength(1);
  expect(knownKeys(hashed, "cp2.example", 22)).toHaveLength(0);
  const patterns = `*.lab,!w1.lab,10.0.0.? ${textOf(other)} a comment\n# not.lab ${textOf(other)}\n@cert-authority *.ca ${textOf(other)}\n`;
  const known = (host: string) => knownKeys(patterns, host, 22).length === 1;
  expect(["cp1.lab", "w1.lab", "10.0.0.7", "10.0.0.77", "x.ca", "xlab"].map(known)).toEqual([true, false, true, false, false, false]);
});
