import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import pLimit from "p-limit";
import { dial, NotYet, openTcp, type Login, type OpenWay } from "./dial.ts";
import { bastionEndpoint, machineEndpoint, type Endpoint } from "./endpoint.ts";
import { ConnectionLostError, MachineError } from "./errors.ts";
import { hostKeyCheck } from "./host-key.ts";
import type { Reporter } from "./reporter.ts";
import { prepareRootCommand, type CommandResult, type PreparedCommand, type RootCommand } from "./sudo.ts";
import type { SshTarget } from "./target.ts";

export type { CommandResult, RootCommand } from "./sudo.ts";

/** A machine that answered, shared by everybody in this process who talks to it. */
export interface Connection {
  /** Host key that the machine showed, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** Host key that the bastion showed; undefined without one. */
  readonly bastionHostKey: string | undefined;
  /**
   * Runs a script with bash as root and gives what it printed, whatever else the login shell prints. A broken connection is made anew
   * before the command starts, never in its middle.
   *
   * @throws ConnectionLostError when the connection breaks while it runs; CommandTimeoutError; MachineError when root is not to be had
   */
  sudo(command: RootCommand): Promise<CommandResult>;
}

/** sshd lets ten sessions share a connection (MaxSessions); two are left for others. */
const maxChannels = 8;

/** One login at one server and what runs over it. */
class Transport {
  readonly #endpoint: Endpoint;
  readonly #openWay: OpenWay;
  readonly #timeoutSeconds: number;
  readonly #channels = pLimit(maxChannels);
  #login: Promise<Login> | undefined;

  constructor(endpoint: Endpoint, openWay: OpenWay, timeoutSeconds: number) {
    this.#endpoint = endpoint;
    this.#openWay = openWay;
    this.#timeoutSeconds = timeoutSeconds;
  }

  /** The login, made now if there is none or it broke. */
  login(reporter: Reporter): Promise<Login> {
    this.#login ??= this.#dial(reporter);
    return this.#login;
  }

  async #dial(reporter: Reporter): Promise<Login> {
    const place = `${this.#endpoint.machine} ${this.#endpoint.host}:${this.#endpoint.port}`;
    const pinned = this.#endpoint.hostKeys === "pin" ? firstSeen.get(place) : undefined;
    const endpoint = { ...this.#endpoint, hostKey: this.#endpoint.hostKey ?? pinned };
    try {
      const login = await dial(endpoint, this.#openWay, this.#timeoutSeconds, reporter);
      firstSeen.set(place, login.hostKey);
      login.client.once("close", () => this.forget(login));
      return login;
    } catch (error) {
      this.#login = undefined;
      throw error;
    }
  }

  /** A login that is broken is not used again. */
  forget(login: Login): void {
    void this.#login?.then((current) => {
      if (current === login) this.#login = undefined;
    });
    login.client.destroy();
  }

  close(): void {
    void this.#login?.then(({ client }) => client.end()).catch(() => {});
    this.#login = undefined;
  }

  async run(target: SshTarget, command: RootCommand, reporter: Reporter): Promise<CommandResult> {
    const prepared = prepareRootCommand(target, command);
    for (let redials = 0; ; ) {
      const outcome = await this.#channels(async () => {
        const login = await this.login(reporter);
        let talk: { result: Promise<CommandResult> };
        try {
          talk = await exec(login.client, prepared);
        } catch (error) {
          return this.#channelRefused(target, login, error as Error);
        }
        return talk.result;
      });
      if (typeof outcome !== "string") return outcome;
      if (outcome === "broken" && ++redials > 1) throw lostBeforeStart(target);
    }
  }

  /** Nothing has run yet, so all of this may be tried again: after a new login, or when another channel is free. */
  #channelRefused(target: SshTarget, login: Login, error: Error): "broken" | "full" {
    if (!/Channel open failure/i.test(error.message)) {
      this.forget(login);
      return "broken";
    }
    const others = this.#channels.activeCount - 1;
    if (others === 0) {
      throw new MachineError({
        machine: target.name,
        stage: "connect",
        cause: `${this.#endpoint.label} lets nobody run a command: ${error.message}`,
        next: "set MaxSessions to 10 in its sshd_config (0 and ForceCommand forbid it)",
      });
    }
    this.#channels.concurrency = others;
    return "full";
  }
}

/** Starts the command, and the talk with it in the same moment: the first answers may have come with the channel. */
function exec(client: Client, { commandLine, converse }: PreparedCommand): Promise<{ result: Promise<CommandResult> }> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error("the connection closed"));
    client.once("close", lost);
    client.exec(commandLine, (error, channel) => {
      client.removeListener("close", lost);
      if (error) reject(error);
      else resolve({ result: converse(client, channel) });
    });
  });
}

function lostBeforeStart(target: SshTarget): ConnectionLostError {
  return new ConnectionLostError({
    machine: target.name,
    stage: "connect",
    cause: "the connection breaks each time a command is to start",
    next: "look at the machine's sshd log (`journalctl -u ssh`), and run the command again",
  });
}

/** The way through a bastion: https://www.rfc-editor.org/rfc/rfc4254#section-7.2 */
function openThrough(bastion: Transport, endpoint: Endpoint, label: string, reporter: Reporter): OpenWay {
  return async (timeoutMs) => {
    const { client } = await bastion.login(reporter);
    return new Promise<Duplex>((resolve, reject) => {
      const timer = setTimeout(() => reject(new NotYet("silent", `does not answer ${label}`)), timeoutMs);
      const lost = () => reject(new NotYet("closed", `is out of reach: ${label} closed the connection`));
      client.once("close", lost);
      client.forwardOut("127.0.0.1", 0, endpoint.host, endpoint.port, (error, channel) => {
        clearTimeout(timer);
        client.removeListener("close", lost);
        if (error) reject(forwardFailure(endpoint, label, error));
        else resolve(channel);
      });
    });
  };
}

function forwardFailure({ machine }: Endpoint, label: string, error: Error & { reason?: unknown }): Error {
  // 1 is SSH_OPEN_ADMINISTRATIVELY_PROHIBITED: https://www.rfc-editor.org/rfc/rfc4254#section-5.1
  if (error.reason === 1) {
    const cause = `${label} forwards no connections: ${error.message}`;
    return new MachineError({ machine, stage: "connect", cause, next: "set AllowTcpForwarding to yes in its sshd_config" });
  }
  return new NotYet("silent", `cannot be reached from ${label} (${error.message})`);
}

const transports = new Map<string, Transport>();
/** Host keys of the first logins, which every later login in this process must show as well. */
const firstSeen = new Map<string, string>();

const placeOf = ({ user, host, port, auth }: Pick<Endpoint, "user" | "host" | "port" | "auth">) =>
  JSON.stringify([user, host, port, auth.privateKeyPath, auth.privateKeyEnv, auth.agent]);

/** The pooled login at a place. One that fails leaves the pool, since who comes next may know another host key or wait longer. */
async function pooled(key: string, reporter: Reporter, make: () => Transport): Promise<{ transport: Transport; login: Login }> {
  const transport = transports.get(key) ?? make();
  transports.set(key, transport);
  try {
    return { transport, login: await transport.login(reporter) };
  } catch (error) {
    if (transports.get(key) === transport) transports.delete(key);
    throw error;
  }
}

/**
 * The connection to a machine: one per machine and user in this process, made now if there is none.
 *
 * @throws UnreachableError when it does not answer in `connectTimeoutSeconds`; HostKeyError; MachineError when no key is accepted
 */
export async function connect(target: SshTarget, reporter: Reporter): Promise<Connection> {
  const gate = bastionEndpoint(target);
  const machine = machineEndpoint(target);
  const timeout = target.connectTimeoutSeconds;
  const bastion = gate && (await pooled(placeOf(gate), reporter, () => new Transport(gate, openTcp(gate.host, gate.port), timeout)));
  // Who comes later may know another key than who made the connection.
  if (gate && bastion) assertHostKey(gate, bastion.login.hostKey);
  const { transport, login } = await pooled(`${placeOf(machine)}${gate ? ` via ${placeOf(gate)}` : ""}`, reporter, () => {
    const openWay = bastion
      ? openThrough(bastion.transport, machine, `the bastion ${gate.label}`, reporter)
      : openTcp(machine.host, machine.port);
    return new Transport(machine, openWay, timeout);
  });
  assertHostKey(machine, login.hostKey);
  return {
    hostKey: login.hostKey,
    bastionHostKey: bastion?.login.hostKey,
    sudo: (command) => transport.run(target, command, reporter),
  };
}

function assertHostKey(endpoint: Endpoint, hostKey: string): void {
  const refusal = hostKeyCheck(endpoint).refusal(Buffer.from(hostKey.split(" ")[1]!, "base64"));
  if (refusal) throw refusal;
}

/** Ends all connections; what runs over them is lost, jobs on the machines go on. */
export function closeAllConnections(): void {
  transports.forEach((transport) => transport.close());
  transports.clear();
  firstSeen.clear();
}
