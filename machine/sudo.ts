import { randomBytes } from "node:crypto";
import type { Client, ClientChannel } from "ssh2";
import { CommandTimeoutError, ConnectionLostError, MachineError } from "./errors.ts";
import { LineSplitter } from "./lines.ts";
import { readScript } from "./render.ts";
import type { SshTarget } from "./target.ts";

/** A script to run as root. */
export interface RootCommand {
  /** Text for bash; never visible in a process list. */
  readonly script: string;
  /** What the script reads from its standard input; default: nothing. */
  readonly stdin?: string | Buffer;
  /** Seconds after which the script and its children are ended on the machine. */
  readonly timeoutSeconds: number;
  /** Given each line of the standard output as it comes, without its line break. */
  readonly onLine?: (line: string) => void;
}

/** How a script ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest wait for sudo and the login shell; a loaded machine takes seconds. */
const beginTimeoutSeconds = 60;
/** The machine's clock for a command starts a little before this side's. */
const clockSlackMs = 500;
/** Time that the machine has to end a script whose time is over, before this side gives up. */
const graceSeconds = 30;

/**
 * What runs first: waits for its own mark on a line of the input, since before it there may be a password that sudo did not ask for,
 * then reads the number of bytes that is told there and runs them. No quote, `!` or backslash: the login shell may be any.
 */
const firstLine =
  'echo "$0 begin"; while read -r mark bytes; do [ "$mark" = "$0" ] && break; done; ' +
  'LC_ALL=C; IFS= read -r -N "$bytes" text; eval "$text"';

/** A command line for the login shell, and the talk that follows with what it starts. */
export interface PreparedCommand {
  readonly commandLine: string;
  converse(client: Client, channel: ClientChannel): Promise<CommandResult>;
}

/**
 * Prepares a script to run as root: by itself, with `sudo -n`, or with a password that goes over standard input and nowhere else.
 *
 * @throws MachineError when the variable that should hold the sudo password is not set
 */
export function prepareRootCommand(target: SshTarget, command: RootCommand): PreparedCommand {
  const mark = randomBytes(16).toString("hex");
  const password = sudoPassword(target);
  // The prompt is the mark, so that it is told apart from a message in any language; sudo-rs puts it in brackets.
  const sudo = target.user === "root" ? "" : password === undefined ? "sudo -n " : `sudo -S -p ${mark} `;
  return {
    commandLine: `${sudo}timeout -k 5 ${Math.ceil(command.timeoutSeconds)} /bin/bash -c '${firstLine}' ${mark}`,
    converse: (client, channel) => converse({ target, command, mark, password, client, channel }),
  };
}

function sudoPassword({ name, user, sudoPasswordEnv }: SshTarget): string | undefined {
  if (user === "root" || sudoPasswordEnv === undefined) return undefined;
  const password = process.env[sudoPasswordEnv];
  if (password) return password;
  throw new MachineError({
    machine: name,
    stage: "sudo",
    cause: `the environment variable ${sudoPasswordEnv}, which holds the sudo password of ${user}, is not set`,
    next: `export ${sudoPasswordEnv} and run the command again`,
  });
}

/** What is sent once the first line waits for it: the frame of scripts/as-root.sh, the script, and its input. */
function bodyOf({ script, stdin = "" }: RootCommand, mark: string): Buffer {
  const text = Buffer.from(script);
  const frame = Buffer.from(`frame_bytes=${text.length}\n${readScript("as-root.sh")}`);
  return Buffer.concat([Buffer.from(`${mark} ${frame.length}\n`), frame, text, Buffer.from(stdin)]);
}

interface Talk {
  readonly target: SshTarget;
  readonly command: RootCommand;
  readonly mark: string;
  readonly password: string | undefined;
  readonly client: Client;
  readonly channel: ClientChannel;
}

function converse({ target, command, mark, password, client, channel }: Talk): Promise<CommandResult> {
  const startedAt = Date.now();
  const output: string[] = [];
  const errors: string[] = [];
  /** What came before the script: noise of the login shell, messages of sudo. */
  const preface: string[] = [];
  let begun = false;
  let code: number | undefined;
  let outputEnd = false;
  let errorEnd = false;
  let exit: Exit | undefined;

  return new Promise((resolve, reject) => {
    const neverBegan = () => fail(notRoot(target, preface, errorSplitter.rest, password, beginTimeoutSeconds));
    let timer = setTimeout(neverBegan, beginTimeoutSeconds * 1000);
    const settle = () => {
      clearTimeout(timer);
      client.removeListener("close", onClose);
      channel.close();
    };
    const fail = (error: Error) => {
      settle();
      reject(error);
    };
    const succeed = () => {
      settle();
      resolve({ code: code!, stdout: output.join(""), stderr: errors.join("") });
    };

    const outputSplitter = new LineSplitter((line) => {
      if (outputEnd) return;
      if (!begun) {
        if (line.endsWith(`${mark} begin`)) begin();
        else preface.push(line);
        return;
      }
      // The script's last line need not have ended.
      const end = line.indexOf(`${mark} end `);
      const text = end < 0 ? line : line.slice(0, end);
      if (end < 0) output.push(`${text}\n`);
      else output.push(text);
      if (end < 0 || text !== "") command.onLine?.(text);
      if (end < 0) return;
      outputEnd = true;
      code = Number(line.slice(end + mark.length + " end ".length));
      if (errorEnd) succeed();
    });

    let errorsBegun = false;
    const errorSplitter = new LineSplitter((line) => {
      if (errorEnd) return;
      if (!errorsBegun) {
        errorsBegun = line.endsWith(`${mark} begin`);
        if (!errorsBegun) preface.push(line);
        return;
      }
      errorEnd = line.endsWith(`${mark} end`);
      errors.push(errorEnd ? line.slice(0, -`${mark} end`.length) : `${line}\n`);
      if (errorEnd && outputEnd) succeed();
    });

    const begin = () => {
      begun = true;
      clearTimeout(timer);
      timer = setTimeout(() => fail(timedOut(target, command)), (command.timeoutSeconds + graceSeconds) * 1000);
      channel.end(bodyOf(command, mark));
    };

    channel.on("data", (chunk: Buffer) => outputSplitter.push(chunk));
    channel.stderr.on("data", (chunk: Buffer) => {
      errorSplitter.push(chunk);
      // sudo asks a second time: the password was wrong. Saying so now spares the account further failed attempts.
      const asked = (text: string) => text.split(mark).length - 1;
      if (!begun && password !== undefined && asked(preface.join("\n")) + asked(errorSplitter.rest) > 1) fail(wrongPassword(target));
    });
    // A machine that goes away while something is written to it is noticed by the connection's end.
    channel.on("error", () => {});
    channel.on("exit", (exitCode: number | null, signal?: string) => (exit = { code: exitCode, signal }));

    const onClose = () => {
      if (outputEnd) succeed();
      else if (!exit) fail(connectionLost(target));
      else if (!begun) fail(notRoot(target, preface, errorSplitter.rest, password));
      else if (Date.now() - startedAt >= command.timeoutSeconds * 1000 - clockSlackMs) fail(timedOut(target, command));
      else fail(endedFromOutside(target, exit));
    };
    channel.on("close", onClose);
    client.once("close", onClose);

    // sudo reads it only if it asks; the first line skips it otherwise.
    if (password !== undefined) channel.write(`${password}\n`);
  });
}

function connectionLost({ name }: SshTarget): ConnectionLostError {
  return new ConnectionLostError({
    machine: name,
    stage: "connect",
    cause: "the connection broke while a command ran",
    next: "check that the machine is on and reachable, and run the command again",
  });
}

/** How a process ended, as sshd tells it. */
interface Exit {
  readonly code: number | null;
  readonly signal: string | undefined;
}

function endedFromOutside({ name }: SshTarget, { code, signal }: Exit): ConnectionLostError {
  return new ConnectionLostError({
    machine: name,
    stage: "connect",
    cause: `a command was killed on the machine (${signal ?? `exit status ${code}`})`,
    next: "look at the machine's journal for its shutdown or for memory that ran out (`journalctl -k`), and run the command again",
  });
}

function timedOut({ name }: SshTarget, { timeoutSeconds }: RootCommand): CommandTimeoutError {
  return new CommandTimeoutError({
    machine: name,
    stage: "connect",
    cause: `a command did not end within ${timeoutSeconds} s and was ended`,
    next: "look at what the machine is busy with (`top`, `dmesg`), and run the command again",
  });
}

function wrongPassword({ name, user, sudoPasswordEnv }: SshTarget): MachineError {
  return new MachineError({
    machine: name,
    stage: "sudo",
    cause: `sudo does not accept the password in ${sudoPasswordEnv} for ${user}`,
    next: `correct ${sudoPasswordEnv} and run the command again`,
  });
}

/** The script never began: sudo did not let it, or the login shell did not run it. */
function notRoot(
  target: SshTarget,
  preface: string[],
  rest: string,
  password: string | undefined,
  waitedSeconds?: number,
): MachineError {
  const { name, user } = target;
  const said = [...preface, rest].filter((line) => line.trim() !== "").slice(-8).join("\n");
  const sentence = (cause: string, next: string) => new MachineError({ machine: name, stage: "sudo", cause, next, evidence: said });
  const noPassword = `allow sudo without a password: echo '${user} ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/${user}`;
  if (/sudoers|not allowed|may not run/i.test(said)) {
    return sentence(`${user} may not become root with sudo`, `as root on ${name}, ${noPassword}`);
  }
  if (/sudo\S*( command)? not found|sudo: (unknown command|no such)/i.test(said)) {
    return sentence("there is no sudo", `install sudo on ${name} and let ${user} use it, or set ssh.user to root`);
  }
  if (target.user !== "root" && password === undefined && /password/i.test(said)) {
    return sentence(
      `sudo asks ${user} for a password`,
      `set ssh.sudoPasswordEnv to the NAME of an environment variable that holds it, or, as root on ${name}, ${noPassword}`,
    );
  }
  if (password !== undefined && /incorrect|attempt|authentication/i.test(said)) return wrongPassword(target);
  const became = target.user === "root" ? "run a command" : "become root with sudo";
  const when = waitedSeconds === undefined ? "" : ` within ${waitedSeconds} s`;
  const attempt = `ssh -p ${target.port} ${user}@${target.host}${user === "root" ? "" : " sudo"} true`;
  return sentence(`${user} could not ${became}${when}`, `try \`${attempt}\`, and put right what it says`);
}
