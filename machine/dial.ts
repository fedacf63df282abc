import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "ssh2";
import type { AuthMethod, ServerHostKeyAlgorithm } from "ssh2";
import { authenticationRefused, credentialsOf, type Credential } from "./authentication.ts";
import type { Endpoint } from "./endpoint.ts";
import { HostKeyError, MachineError, UnreachableError } from "./errors.ts";
import { hostKeyCheck, hostKeyText, describeHostKey, type HostKeyCheck } from "./host-key.ts";
import type { Reporter } from "./reporter.ts";

/** A login that succeeded. */
export interface Login {
  readonly client: Client;
  /** Host key that the server showed, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** Opens the way to a server: TCP, or a channel through the bastion. Rejects with NotYet when it may work a little later. */
export type OpenWay = (timeoutMs: number) => Promise<Duplex>;

/** Why a server could not be reached, in words that go on after its name. */
type Obstacle = "name" | "refused" | "silent" | "closed";

/** Something that may pass by itself: the machine is booting, or the network is not up yet. */
export class NotYet extends Error {
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle, reason: string) {
    super(reason);
    this.obstacle = obstacle;
  }
}

/** Longest wait for one TCP connection: a packet lost while the machine boots must not cost the whole time. */
const openTimeoutMs = 10_000;
const firstPauseMs = 1000;
const longestPauseMs = 5000;
/** Dead after three missed answers. */
const keepalive = { keepaliveInterval: 10_000, keepaliveCountMax: 3 };

/**
 * Logs in, trying again for `timeoutSeconds` while the machine does not answer, since it may be booting.
 *
 * @throws UnreachableError when it does not answer in that time; HostKeyError and MachineError (no usable key, all keys refused) at once
 */
export async function dial(endpoint: Endpoint, openWay: OpenWay, timeoutSeconds: number, reporter: Reporter): Promise<Login> {
  const credentials = await credentialsOf(endpoint);
  const check = hostKeyCheck(endpoint);
  const start = Date.now();
  const left = () => start + timeoutSeconds * 1000 - Date.now();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const login = await logIn(endpoint, openWay, credentials, check, left);
      if (check.firstUse) {
        const shown = describeHostKey(login.hostKey);
        reporter.info(`${endpoint.machine}: ${endpoint.label} is met for the first time; its host key is trusted from now on: ${shown}`);
      }
      return login;
    } catch (error) {
      if (!(error instanceof NotYet)) throw error;
      if (left() <= pauseMs) throw unreachable(endpoint, error, timeoutSeconds);
      reporter.progress(`waiting for ${endpoint.label}: it ${error.message}, ${Math.round((Date.now() - start) / 1000)} s`);
      await pause(pauseMs);
    }
  }
}

/** Opens a TCP connection. */
export function openTcp(host: string, port: number): OpenWay {
  return (timeoutMs) =>
    new Promise((resolve, reject) => {
      const socket = connectTcp({ host, port, noDelay: true });
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new NotYet("silent", "does not answer"));
      }, timeoutMs);
      socket.once("connect", () => {
        clearTimeout(timer);
        resolve(socket);
      });
      socket.once("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(obstacleOf(error));
      });
    });
}

function obstacleOf({ code, message }: NodeJS.ErrnoException): NotYet {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return new NotYet("name", `has a name that cannot be resolved (${code})`);
  if (code === "ECONNREFUSED") return new NotYet("refused", "refuses the connection");
  if (code === "ETIMEDOUT") return new NotYet("silent", "does not answer");
  return new NotYet("silent", `cannot be reached (${code ?? message})`);
}

async function logIn(
  endpoint: Endpoint,
  openWay: OpenWay,
  credentials: readonly Credential[],
  check: HostKeyCheck,
  left: () => number,
): Promise<Login> {
  let refused: HostKeyError | undefined;
  for (const offer of check.offers) {
    const way = await openWay(Math.max(1, Math.min(openTimeoutMs, left())));
    try {
      return await handshake(endpoint, way, credentials, check, offer, Math.max(1000, left()));
    } catch (error) {
      way.destroy();
      if (error instanceof HostKeyError) refused ??= error;
      else if (!(refused && error instanceof NoCommonAlgorithm)) throw error;
    }
  }
  throw refused!;
}

/** The server knows none of the algorithms that were offered. */
class NoCommonAlgorithm extends MachineError {}

function handshake(
  endpoint: Endpoint,
  way: Duplex,
  credentials: readonly Credential[],
  check: HostKeyCheck,
  serverHostKey: ServerHostKeyAlgorithm[],
  timeoutMs: number,
): Promise<Login> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let hostKey = "";
    let refused: HostKeyError | undefined;
    let banner = "";
    client.on("banner", (text) => (banner += text));
    client.once("ready", () => resolve({ client, hostKey }));
    // Stays for the life of the client: an error without a listener would end the process.
    client.on("error", (error: Error & { level?: string }) => {
      // ssh2 tells that an agent could not sign, and goes on with the next key by itself.
      if (error.level !== "agent") reject(refused ?? loginFailure(endpoint, credentials, error, banner));
    });
    client.once("close", () => reject(refused ?? new NotYet("closed", "closed the connection during the login")));
    client.connect({
      sock: way,
      username: endpoint.user,
      authHandler: credentials.map(({ method }) => method as AuthMethod),
      algorithms: { serverHostKey },
      hostVerifier(key: Buffer) {
        hostKey = hostKeyText(key);
        refused = check.refusal(key);
        return refused === undefined;
      },
      readyTimeout: timeoutMs,
      ...keepalive,
    });
  });
}

function loginFailure(endpoint: Endpoint, credentials: readonly Credential[], error: Error & { level?: string }, banner: string): Error {
  // pam_nologin lets nobody but root in until the machine has started: https://man7.org/linux/man-pages/man8/pam_nologin.8.html
  if (/booting up|not permitted to log in yet|shut ?down/i.test(banner)) return new NotYet("closed", "lets nobody log in yet");
  if (error.level === "client-authentication" || /authentication failures/i.test(error.message)) {
    return authenticationRefused(endpoint, credentials);
  }
  if (error.level === "client-timeout") return new NotYet("silent", "accepts the connection and does not answer");
  if (/no matching/i.test(error.message)) {
    return new NoCommonAlgorithm({
      machine: endpoint.machine,
      stage: "connect",
      cause: `${endpoint.label} and this program know no common algorithm: ${error.message}`,
      next:
        "allow current algorithms in its sshd_config (KexAlgorithms, Ciphers, HostKeyAlgorithms), or give it an ed25519 host key " +
        "with `ssh-keygen -A`",
    });
  }
  return new NotYet("closed", `closed the connection during the login (${error.message})`);
}

const advice: Record<Obstacle, string> = {
  name: "correct its host in the settings, or the name server of this computer",
  refused: "check that sshd runs there and that host and port are right in the settings",
  silent: "check that the machine is on, that host and port are right in the settings, and that no firewall is in between",
  closed: "look at the machine's console and its sshd log (`journalctl -u ssh`)",
};

function unreachable(endpoint: Endpoint, { obstacle, message }: NotYet, timeoutSeconds: number): UnreachableError {
  return new UnreachableError({
    machine: endpoint.machine,
    stage: "connect",
    cause: `${endpoint.label} ${message} (tried for ${timeoutSeconds} s)`,
    next: `${advice[obstacle]}; then run the command again`,
  });
}
