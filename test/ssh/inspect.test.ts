import { expect, test } from "vitest";
import { CommandTimeoutError, MachineError } from "../../machine/errors.ts";
import { inspect } from "../../machine/inspect.ts";
import { failureOf, machine, recorder, targetOf } from "./helpers.ts";

const look = async (script: string, timeoutSeconds?: number, environment: Record<string, string> = {}) =>
  inspect(targetOf(await machine()), "kernel", script, environment, recorder(), timeoutSeconds);

test("inspect gives the document that the script printed, whatever it says of its progress", async () => {
  const script = `echo "==> looking"; printf '{"verb":"%s",\n"name":"%s"}\n' "$1" "$NODE_NAME"; echo noise >&2`;
  expect(await look(script, undefined, { NODE_NAME: "cp1" })).toEqual({ verb: "inspect", name: "cp1" });
});

test("inspect that fails tells cause, evidence and next step, with secrets masked", async () => {
  const error = await failureOf(look(`echo "!!! no systemd"; echo ">>> use Debian"; echo "token $A_TOKEN" >&2; exit 1`, undefined, { A_TOKEN: "abcdef" }));
  expect(error).toBeInstanceOf(MachineError);
  expect(error.message).toBe("cp1: kernel: no systemd\ntoken ***\nNext: use Debian");
  expect((await failureOf(look("echo bash: oops >&2; exit 127"))).message).toContain("inspect ended with exit status 127\nbash: oops\n");
  expect((await failureOf(look("echo hello"))).message).toContain("inspect printed no JSON document\nhello\n");
});

test("inspect that takes too long fails with what it did", async () => {
  const error = await failureOf(look("echo '==> asking containerd'; sleep 60", 1));
  expect(error).not.toBeInstanceOf(CommandTimeoutError);
  expect(error.message).toContain("cp1: kernel: inspect did not end within 1 s (asking containerd)");
});

test("a connection that breaks while looking is made once more", async () => {
  const fake = await machine();
  const reporter = { ...recorder(), progress: (text: string) => void (text === "cut" && fake.cut()) };
  const flag = `${fake.root}/seen`;
  const script = `if [[ -e ${flag} ]]; then echo '{"second":true}'; else : > ${flag}; echo "==> cut"; sleep 30; fi`;
  expect(await inspect(targetOf(fake), "kernel", script, {}, reporter)).toEqual({ second: true });
});
