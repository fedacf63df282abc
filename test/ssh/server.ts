import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import ssh2 from "ssh2";
import { generateKey, type KeyPair } from "../keys.ts";
import type { AuthContext, Connection, ParsedKey, ServerChannel, Session } from "ssh2";

/** What differs from a machine that lets everybody with a key in. */
export interface FakeMachineOptions {
  /** Public keys that may log in; default: any key. */
  readonly authorizedKeys?: readonly string[];
  /** Host keys; default: one of ed25519. */
  readonly hostKeys?: readonly KeyPair[];
  /** Run as `SHELL -c COMMAND`; default /bin/bash. */
  readonly loginShell?: string;
  /** Sessions that may share a connection, as sshd's MaxSessions; default 10. */
  readonly maxSessions?: number;
  /** How the stand-in for sudo behaves; default: no password. */
  readonly sudo?: { readonly mode: "nopasswd" | "password" | "cached" | "denied"; readonly password?: string };
  /** TCP port of 127.0.0.1; default: any free one. */
  readonly port?: number;
  /** Banner that is shown at the login; with `lockedOut`, nobody gets in. */
  readonly banner?: string;
  /** Logins to turn away before one is let in, as while a machine boots. */
  readonly lockedOut?: number;
}

const fakes = join(dirname(fileURLToPath(import.meta.url)), "fakes");

/**
 * A machine in this process: an SSH server that runs each command with a real bash. `sudo`, `systemd-run` and `systemctl` are
 * stand-ins from `fakes/`, and what scripts/job.sh writes goes below `root`. It listens on 127.0.0.1.
 */
export class FakeMachine {
  /** Takes the place of `/` for jobs. */
  readonly root = mkdtempSync(join(tmpdir(), "fake-machine-"));
  readonly hostKeys: readonly KeyPair[];
  /** Command lines that were run, in order. */
  readonly commands: string[] = [];
  /** Logins that succeeded. */
  logins = 0;
  /** Most sessions at the same time. */
  mostSessions = 0;
  port: number;
  #options: FakeMachineOptions;
  #server: ssh2.Server | undefined;
  readonly #connections = new Set<Connection>();
  readonly #children = new Set<ChildProcess>();
  #lockedOut: number;

  constructor(options: FakeMachineOptions) {
    this.#options = options;
    this.hostKeys = options.hostKeys ?? [generateKey()];
    this.port = options.port ?? 0;
    this.#lockedOut = options.lockedOut ?? 0;
    for (const directory of ["proc/sys/kernel/random", "run", "var/log", "home", "sudo"]) mkdirSync(join(this.root, directory), { recursive: true });
    writeFileSync(join(this.root, "sudo/mode"), `${options.sudo?.mode ?? "nopasswd"}\n`);
    writeFileSync(join(this.root, "sudo/password"), `${options.sudo?.password ?? "secret"}\n`);
    this.#newBoot();
  }

  /** Begins to answer, at the same port as before. */
  async up(): Promise<this> {
    const server = new ssh2.Server(
      { hostKeys: this.hostKeys.map((key) => key.private), ...(this.#options.banner ? { banner: this.#options.banner } : {}) },
      (connection) => this.#serve(connection),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Breaks all connections; what runs goes on. */
  cut(): void {
    // No goodbye is said.
    for (const connection of this.#connections) socketOf(connection).destroy();
  }

  /** Does not answer any more; what runs goes on. */
  async down(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()) ?? resolve());
    this.cut();
    await closed;
    this.#server = undefined;
  }

  /** What a power cycle does: everything that runs is gone, and so is /run. The machine goes on answering. */
  reboot(): void {
    this.#killAll();
    rmSync(join(this.root, "run"), { recursive: true, force: true });
    rmSync(join(this.root, "fake-systemd"), { recursive: true, force: true });
    mkdirSync(join(this.root, "run"));
    this.#newBoot();
    this.cut();
  }

  /** Text of a file below `root`. */
  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  /** Ends everything and removes what it wrote. */
  async close(): Promise<void> {
    if (this.#server) await this.down();
    this.#killAll();
    // The stand-in for systemd clears up after its unit, and would write into a folder that is being removed.
    const units = join(this.root, "fake-systemd");
    for (let i = 0; i < 200 && entriesOf(units).some((name) => name.endsWith(".service")); i++) await pause(10);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  #newBoot(): void {
    writeFileSync(join(this.root, "proc/sys/kernel/random/boot_id"), `${randomUUID()}\n`);
  }

  #killAll(): void {
    const units = join(this.root, "fake-systemd");
    const pids = entriesOf(units).flatMap((unit) => {
      const pid = Number(entriesOf(join(units, unit)).includes("pid") && readFileSync(join(units, unit, "pid"), "utf8"));
      return pid > 0 ? [pid] : [];
    });
    for (const pid of [...pids, ...[...this.#children].map(({ pid }) => pid!)]) {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // It ended by itself in the meantime.
      }
    }
  }

  #serve(connection: Connection): void {
    this.#connections.add(connection);
    // sshd does so as well; the kernel's delays would make up most of a test.
    socketOf(connection).setNoDelay(true);
    let sessions = 0;
    connection.on("error", () => {});
    connection.on("close", () => this.#connections.delete(connection));
    connection.on("authentication", (context) => this.#authenticate(connection, context));
    connection.on("ready", () => {
      this.logins += 1;
    });
    connection.on("session", (accept, reject) => {
      if (sessions >= (this.#options.maxSessions ?? 10)) return reject();
      sessions += 1;
      this.mostSessions = Math.max(this.mostSessions, sessions);
      this.#session(accept(), () => (sessions -= 1));
    });
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      const socket = connectTcp(destPort, destIP);
      socket.once("error", () => reject());
      socket.once("connect", () => {
        const channel = accept();
        socket.removeAllListeners("error");
        socket.on("error", () => channel.destroy());
        channel.on("error", () => socket.destroy());
        socket.pipe(channel).pipe(socket);
      });
    });
  }

  #authenticate(connection: Connection, context: AuthContext): void {
    if (context.method !== "publickey") return context.reject(["publickey"]);
    if (this.#lockedOut > 0) {
      this.#lockedOut -= 1;
      connection.end();
      return;
    }
    const { authorizedKeys } = this.#options;
    const known = authorizedKeys?.map((line) => ssh2.utils.parseKey(line) as ParsedKey);
    const key = known ? known.find((candidate) => candidate.getPublicSSH().equals(context.key.data)) : parsePublic(context.key);
    if (!key) return context.reject(["publickey"]);
    if (context.signature && key.verify(context.blob!, context.signature, context.hashAlgo) !== true) return context.reject(["publickey"]);
    context.accept();
  }

  #session(session: Session, ended: () => void): void {
    session.on("exec", (accept, _reject, { command }) => {
      this.commands.push(command);
      this.#run(command, accept());
    });
    session.on("close", ended);
  }

  #run(command: string, channel: ServerChannel): void {
    const child = spawn(this.#options.loginShell ?? "/bin/bash", ["-c", command], {
      detached: true,
      env: { PATH: `${fakes}:${process.env.PATH}`, HOME: join(this.root, "home"), PULUMI_KUBEADM_ROOT: this.root, FAKE_SUDO: join(this.root, "sudo") },
    });
    this.#children.add(child);
    child.on("exit", () => this.#children.delete(child));
    child.stdin.on("error", () => {});
    channel.on("error", () => {});
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.on("close", (code, signal) => {
      if (signal) channel.exit(signal.replace("SIG", ""));
      else channel.exit(code ?? 255);
      channel.close();
    });
    // As sshd does it: who still writes gets SIGPIPE, who reads gets the end.
    channel.on("close", () => {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    });
  }
}

/** The socket below a connection, which ssh2 does not give out. */
function socketOf(connection: Connection): Socket {
  return (connection as unknown as { _sock: Socket })._sock;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function parsePublic({ algo, data }: { algo: string; data: Buffer }): ParsedKey {
  return ssh2.utils.parseKey(`${algo.replace(/^rsa-sha2-\d+$/, "ssh-rsa")} ${data.toString("base64")}`) as ParsedKey;
}

/** Starts a machine that answers. */
export function startMachine(options: FakeMachineOptions = {}): Promise<FakeMachine> {
  return new FakeMachine(options).up();
}
