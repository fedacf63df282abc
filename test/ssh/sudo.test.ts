import { writeFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../machine/connection.ts";
import { CommandTimeoutError } from "../../machine/errors.ts";
import { failureOf, folder, machine, recorder, setVariable, targetOf, until } from "./helpers.ts";

const timeoutSeconds = 20;

test("a script runs with its input, and its output, errors and exit status come back as they are", async () => {
  const connection = await connect(targetOf(await machine()), recorder());
  const script = `read -r line; echo "got $line"; printf 'no line break'; echo oops >&2; exit 3`;
  const result = await connection.sudo({ script, stdin: "hello\n", timeoutSeconds });
  expect(result).toEqual({ code: 3, stdout: "got hello\nno line break", stderr: "oops\n" });
});

test("a long script with all kinds of characters arrives unchanged", async () => {
  const connection = await connect(targetOf(await machine()), recorder());
  const text = `'"$\\!한글 \t` + "x".repeat(100_000);
  const script = `cat <<'END'\n${text}\nEND`;
  expect((await connection.sudo({ script, timeoutSeconds })).stdout).toBe(`${text}\n`);
});

test("lines are handed on while the script runs", async () => {
  const fake = await machine();
  const connection = await connect(targetOf(fake), recorder());
  const lines: string[] = [];
  const flag = join(folder(), "flag");
  const running = connection.sudo({ script: `echo one; until [[ -e ${flag} ]]; do sleep 0.05; done; printf two`, timeoutSeconds, onLine: (line) => lines.push(line) });
  await until(() => lines.includes("one"), "the first line");
  writeFileSync(flag, "");
  await running;
  expect(lines).toEqual(["one", "two"]);
});

test.each(["/bin/bash", "/bin/dash"])("noise of a login shell (%s) before and after the command stays out of the output", async (shell) => {
  const login = join(folder(), "shell");
  const noise = "echo 'Welcome to cp1!'; printf 'no line break'; echo 'bash: warning: setlocale' >&2";
  writeFileSync(login, `#!/bin/bash\n${noise}\n${shell} "$@"\ncode=$?\necho bye; echo bye >&2\nexit $code\n`, { mode: 0o755 });
  const connection = await connect(targetOf(await machine({ loginShell: login })), recorder());
  const result = await connection.sudo({ script: "echo clean; echo errors >&2; exit 4", timeoutSeconds });
  expect(result).toEqual({ code: 4, stdout: "clean\n", stderr: "errors\n" });
});

test("root needs no sudo", async () => {
  const fake = await machine();
  const connection = await connect(targetOf(fake, { user: "root", sudoPasswordEnv: "NOT_SET" }), recorder());
  expect((await connection.sudo({ script: "echo yes", timeoutSeconds })).stdout).toBe("yes\n");
  expect(fake.commands[0]).toMatch(/^timeout /);
});

test.each(["password", "cached", "nopasswd"] as const)("a sudo password works whether sudo asks for it or not (%s)", async (mode) => {
  setVariable("TEST_SUDO", "s3cret");
  const fake = await machine({ sudo: { mode, password: "s3cret" } });
  const connection = await connect(targetOf(fake, { sudoPasswordEnv: "TEST_SUDO" }), recorder());
  const result = await connection.sudo({ script: "cat; echo done", stdin: "input\n", timeoutSeconds });
  expect(result).toEqual({ code: 0, stdout: "input\ndone\n", stderr: "" });
  expect(fake.commands.join()).not.toContain("s3cret");
  expect(fake.read("sudo/calls")).not.toContain("s3cret");
});

test("a wrong sudo password is told at once, after one attempt, and not shown", async () => {
  setVariable("TEST_SUDO", "wr0ng");
  const fake = await machine({ sudo: { mode: "password", password: "s3cret" } });
  const connection = await connect(targetOf(fake, { sudoPasswordEnv: "TEST_SUDO" }), recorder());
  const error = await failureOf(connection.sudo({ script: "echo never", timeoutSeconds }));
  expect(error.message).toContain("sudo does not accept the password in TEST_SUDO for ops");
  expect(error.message).not.toContain("wr0ng");
  expect(fake.read("sudo/attempts")).toBe("1\n");
});

test("a sudo that asks for a password nobody gave, a user without sudo and a variable that is not set are each told", async () => {
  setVariable("TEST_SUDO", "s3cret");
  setVariable("TEST_UNSET", undefined);
  const asks = await machine({ sudo: { mode: "password" } });
  const run = async (changes: object, fake = asks) =>
    (await failureOf(connect(targetOf(fake, changes), recorder()).then((c) => c.sudo({ script: "true", timeoutSeconds })))).message;
  expect(await run({})).toMatch(/sudo asks ops for a password[^]*ssh\.sudoPasswordEnv[^]*NOPASSWD/);
  expect(await run({ sudoPasswordEnv: "TEST_UNSET" })).toContain("TEST_UNSET, which holds the sudo password of ops, is not set");
  const denies = await machine({ sudo: { mode: "denied", password: "s3cret" } });
  expect(await run({ sudoPasswordEnv: "TEST_SUDO" }, denies)).toContain("ops may not become root with sudo");
});

test("a login shell that runs no commands is told with what it said", async () => {
  const login = join(folder(), "nologin");
  writeFileSync(login, "#!/bin/sh\necho This account is currently not available.\nexit 1\n", { mode: 0o755 });
  const connection = await connect(targetOf(await machine({ loginShell: login })), recorder());
  const error = await failureOf(connection.sudo({ script: "true", timeoutSeconds }));
  expect(error.message).toContain("ops could not become root with sudo\nThis account is currently not available.");
});

test("a script that takes too long is ended on the machine, with its children", async () => {
  const connection = await connect(targetOf(await machine()), recorder());
  const pidFile = join(folder(), "pid");
  const error = await failureOf(connection.sudo({ script: `sleep 600 & echo $! > ${pidFile}; wait`, timeoutSeconds: 1 }));
  expect(error).toBeInstanceOf(CommandTimeoutError);
  const pid = readFileSync(pidFile, "utf8").trim();
  await until(() => !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")), "the child's end");
});

test("a daemon that keeps the output open does not hold the answer up", async () => {
  const connection = await connect(targetOf(await machine()), recorder());
  const start = Date.now();
  await connection.sudo({ script: "sleep 15 & echo started", timeoutSeconds });
  expect(Date.now() - start).toBeLessThan(10_000);
});
