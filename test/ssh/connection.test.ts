import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { connect } from "../../machine/connection.ts";
import { ConnectionLostError, MachineError, UnreachableError } from "../../machine/errors.ts";
import { cleanUp, clientKey, failureOf, machine, recorder, setVariable, targetOf, until } from "./helpers.ts";
import { generateKey } from "../keys.ts";

const timeoutSeconds = 20;
const authOf = (path: string) => ({ auth: { privateKeyPath: path, agent: false } });

/** A TCP port that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("a machine that refuses the connection is tried again until the time is over", async () => {
  const port = await freePort();
  const reporter = recorder();
  const error = await failureOf(connect(targetOf({ port }, { connectTimeoutSeconds: 2 }), reporter));
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toBe(
    `cp1: connect: ops@127.0.0.1:${port} refuses the connection (tried for 2 s)\n` +
      "Next: check that sshd runs there and that host and port are right in the settings; then run the command again",
  );
  expect(reporter.progressed).toContain(`waiting for ops@127.0.0.1:${port}: it refuses the connection, 0 s`);
});

test("a machine that comes up in time is connected to", async () => {
  const fake = await machine();
  await fake.down();
  const reporter = recorder();
  const connecting = connect(targetOf(fake, { connectTimeoutSeconds: 10 }), reporter);
  await until(() => reporter.progressed.length > 0, "the first refusal");
  await fake.up();
  expect((await connecting).hostKey).toBe(fake.hostKeys[0]!.public.split(" ").slice(0, 2).join(" "));
});

test("a name that cannot be resolved is told as such", async () => {
  const error = await failureOf(connect(targetOf({ port: 22 }, { host: "cp1.invalid" }), recorder()));
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toMatch(/ops@cp1\.invalid:22 has a name that cannot be resolved \((ENOTFOUND|EAI_AGAIN)\)/);
});

test("a machine that accepts the connection and says nothing counts as silent", async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp(() => server.close());
  const error = await failureOf(connect(targetOf({ port: (server.address() as AddressInfo).port }), recorder()));
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toContain("accepts the connection and does not answer (tried for 3 s)");
});

test("a machine that lets nobody log in yet, since it is booting, is waited for", async () => {
  const fake = await machine({ lockedOut: 1, banner: "System is booting up. Unprivileged users are not permitted to log in yet." });
  await connect(targetOf(fake, { connectTimeoutSeconds: 10 }), recorder());
  expect(fake.logins).toBe(1);
});

test("a machine that refuses the key is not tried again, and the message names the key and what to do", async () => {
  const fake = await machine({ authorizedKeys: [generateKey().public] });
  const target = targetOf(fake, { connectTimeoutSeconds: 60 });
  const error = await failureOf(connect(target, recorder()));
  expect(error).toBeInstanceOf(MachineError);
  expect(error).not.toBeInstanceOf(UnreachableError);
  expect(error.message).toMatch(/refused every key that was tried: .*id_ed25519 \(ssh-ed25519 SHA256:[^)]+\)\nNext: .*ssh-copy-id/);
  expect(error.message).toContain(target.auth.privateKeyPath);
});

test("everybody in this process shares one login, and at most eight commands run over it at once", async () => {
  const fake = await machine();
  const target = targetOf(fake);
  const connections = await Promise.all(Array.from({ length: 12 }, () => connect(target, recorder())));
  const results = await Promise.all(connections.map((c, i) => c.sudo({ script: `echo ${i}; sleep 0.1`, timeoutSeconds })));
  expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 12 }, (_, i) => String(i)));
  expect(fake.logins).toBe(1);
  expect(fake.mostSessions).toBe(8);
});

test("an sshd that allows fewer sessions than usual is lived with", async () => {
  const fake = await machine({ maxSessions: 2 });
  const connection = await connect(targetOf(fake), recorder());
  const results = await Promise.all(Array.from({ length: 6 }, (_, i) => connection.sudo({ script: `echo ${i}`, timeoutSeconds })));
  expect(results.map(({ stdout }) => stdout.trim())).toEqual(["0", "1", "2", "3", "4", "5"]);
  expect(fake.mostSessions).toBe(2);
});

test("a connection that broke is made anew for the next command", async () => {
  const fake = await machine();
  const connection = await connect(targetOf(fake), recorder());
  await connection.sudo({ script: "true", timeoutSeconds });
  fake.cut();
  expect((await connection.sudo({ script: "echo again", timeoutSeconds })).stdout).toBe("again\n");
  expect(fake.logins).toBe(2);
});

test("a connection that breaks in the middle of a command fails that command, which is not repeated", async () => {
  const fake = await machine();
  const connection = await connect(targetOf(fake), recorder());
  const running = failureOf(connection.sudo({ script: "echo begun; sleep 30", timeoutSeconds: 60, onLine: () => fake.cut() }));
  expect(await running).toBeInstanceOf(ConnectionLostError);
  expect(fake.commands).toHaveLength(1);
});

test("a machine behind a bastion is reached through it, with one login there for all machines", async () => {
  const bastion = await machine();
  const [cp1, w1] = await Promise.all([machine(), machine()]);
  const target = targetOf(cp1);
  const via = { host: "127.0.0.1", port: bastion.port, user: "jump", auth: target.auth };
  const connections = await Promise.all([cp1, w1].map(({ port }) => connect({ ...target, port, bastion: via }, recorder())));
  const results = await Promise.all(connections.map((c) => c.sudo({ script: "echo $PULUMI_KUBEADM_ROOT", timeoutSeconds })));
  expect(results.map(({ stdout }) => stdout.trim())).toEqual([cp1.root, w1.root]);
  expect(bastion.logins).toBe(1);
  expect(connections[0]!.bastionHostKey).toBe(bastion.hostKeys[0]!.public.split(" ").slice(0, 2).join(" "));
});

test("a bastion with another host key than given, and a machine that the bastion cannot reach, are each told", async () => {
  const bastion = await machine();
  const target = targetOf({ port: await freePort() });
  const via = { host: "127.0.0.1", port: bastion.port, user: "jump", auth: target.auth };
  const unreachable = await failureOf(connect({ ...target, bastion: via }, recorder()));
  expect(unreachable).toBeInstanceOf(UnreachableError);
  expect(unreachable.message).toMatch(/cp1: connect: ops@127\.0\.0\.1:\d+ cannot be reached from the bastion jump@127\.0\.0\.1:\d+/);
  const other = generateKey().public.split(" ").slice(0, 2).join(" ");
  const changed = await failureOf(connect({ ...target, bastion: { ...via, hostKey: other } }, recorder()));
  expect(changed.name).toBe("HostKeyError");
  expect(changed.message).toContain("bastion: connect: jump@127.0.0.1");
  expect(changed.message).toContain("set ssh.bastion.hostKey to");
});

test("a connection through a bastion that broke is made anew, bastion and all", async () => {
  const bastion = await machine();
  const fake = await machine();
  const target = targetOf(fake);
  const connection = await connect({ ...target, bastion: { host: "127.0.0.1", port: bastion.port, user: "jump", auth: target.auth } }, recorder());
  bastion.cut();
  expect((await connection.sudo({ script: "echo again", timeoutSeconds })).stdout).toBe("again\n");
  expect(bastion.logins).toBe(2);
});

test("a corrected setting is used after a failure with the wrong one", async () => {
  const fake = await machine({ authorizedKeys: [clientKey.public] });
  const target = targetOf(fake);
  setVariable("TEST_KEY", generateKey().private);
  await failureOf(connect({ ...target, auth: { privateKeyEnv: "TEST_KEY", agent: false } }, recorder()));
  await connect({ ...target, ...authOf(target.auth.privateKeyPath!) }, recorder());
  expect(fake.logins).toBe(1);
});
