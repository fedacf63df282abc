import type { AddressInfo } from "node:net";
import ssh2 from "ssh2";
import { generateKey, type KeyPair } from "../keys.ts";
import type { AuthContext, Connection, ParsedKey, ServerChannel } from "ssh2";

/** Makes an ed25519 key; a passphrase encrypts the private part. */
export function makeKey(passphrase?: string): KeyPair {
  const pair = generateKey("ed25519", passphrase);
  return { private: pair.private, public: pair.public.trim() };
}

/** Where an answer is written to. */
export interface Terminal {
  /** One line on the standard output. */
  print(line: string): void;
  /** One line on the standard error. */
  complain(line: string): void;
}

/** Who answers what the product asks of root. */
export interface Answerer {
  /** Public keys that may log in as that user. */
  authorizedKeys(user: string): readonly string[];
  /** What sudo asks for; undefined: it asks for nothing. */
  readonly password: string | undefined;
  /** Answers a script, which is never run, and gives its exit status. */
  answer(script: string, terminal: Terminal): Promise<number>;
}

/** What machine/sudo.ts sends: sudo with or without a password, the time limit, bash with its first line, and the mark. */
const commandLine = /^sudo (?:-n|-S -p ([0-9a-f]{32})) timeout -k 5 \d+ \/bin\/bash -c '[^']+' ([0-9a-f]{32})$/;

/**
 * An SSH server on 127.0.0.1 that speaks the protocol of machine/sudo.ts and scripts/as-root.sh, and hands each script to the one
 * who answers. It starts no process: nothing that the product sends runs on this computer.
 */
export class RootShell {
  readonly #hostKey = makeKey();
  readonly #answerer: Answerer;
  readonly #connections = new Set<Connection>();
  #server: ssh2.Server | undefined;
  /** TCP port; kept over a stop. */
  port = 0;
  /** Connections that came, whether they could log in or not. */
  connections = 0;
  /** Command lines, which everybody on a machine can see. */
  readonly commandLines: string[] = [];

  constructor(answerer: Answerer) {
    this.#answerer = answerer;
  }

  /** `ssh-ed25519 AAAA…`. */
  get hostKey(): string {
    return this.#hostKey.public;
  }

  /** Whether it answers. */
  get running(): boolean {
    return this.#server !== undefined;
  }

  /** Begins to answer, at the port of before unless another is wanted. */
  async start(port = this.port): Promise<void> {
    const server = new ssh2.Server({ hostKeys: [this.#hostKey.private] }, (connection) => this.#serve(connection));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Answers nobody any more. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.hangUp();
    await closed;
  }

  /** Ends all connections. */
  hangUp(): void {
    for (const connection of this.#connections) connection.end();
  }

  #serve(connection: Connection): void {
    this.connections += 1;
    this.#connections.add(connection);
    connection.on("error", () => {});
    connection.on("close", () => this.#connections.delete(connection));
    connection.on("authentication", (context) => this.#authenticate(context));
    connection.on("session", (accept) => {
      accept().on("exec", (acceptCommand, _reject, { command }) => {
        this.commandLines.push(command);
        this.#run(command, acceptCommand());
      });
    });
  }

  #authenticate(context: AuthContext): void {
    if (context.method !== "publickey") return context.reject(["publickey"]);
    const keys = this.#answerer.authorizedKeys(context.username).map((text) => ssh2.utils.parseKey(text) as ParsedKey);
    const key = keys.find((known) => known.getPublicSSH().equals(context.key.data));
    const signed = !context.signature || key?.verify(context.blob!, context.signature, context.hashAlgo) === true;
    if (key && signed) context.accept();
    else context.reject(["publickey"]);
  }

  #run(command: string, channel: ServerChannel): void {
    const [, prompt, mark] = commandLine.exec(command) ?? [];
    // A client that goes away while it is answered is what some tests do.
    channel.on("error", () => {});
    const end = (code: number) => {
      channel.exit(code);
      channel.end();
    };
    if (!mark) {
      channel.stderr.write(`bash: ${command}: not what machine/sudo.ts sends\n`);
      return end(127);
    }
    let input = Buffer.alloc(0);
    let begun = false;
    const begin = () => {
      if (begun) return;
      if (this.#answerer.password !== undefined) {
        if (prompt === undefined) {
          channel.stderr.write("sudo: a password is required\n");
          return end(1);
        }
        const line = input.indexOf("\n");
        if (line < 0) return;
        if (input.subarray(0, line).toString() !== this.#answerer.password) {
          channel.stderr.write(`Sorry, try again.\n${prompt}`);
          return end(1);
        }
        input = input.subarray(line + 1);
      }
      begun = true;
      channel.write(`${mark} begin\n`);
    };
    channel.on("data", (chunk: Buffer) => {
      input = Buffer.concat([input, chunk]);
      begin();
    });
    channel.on("end", () => {
      if (!begun) return;
      channel.stderr.write(`${mark} begin\n`);
      const terminal: Terminal = {
        print: (line) => void (channel.writable && channel.write(`${line}\n`)),
        complain: (line) => void (channel.writable && channel.stderr.write(`${line}\n`)),
      };
      const script = scriptIn(input, mark);
      // The client went away before it had sent all of it.
      if (script === undefined) return end(1);
      void this.#answerer.answer(script, terminal).then((code) => {
        if (!channel.writable) return;
        channel.stderr.write(`${mark} end\n`);
        channel.write(`${mark} end ${code}\n`);
        end(code);
      });
    });
    if (prompt !== undefined && this.#answerer.password !== undefined) channel.stderr.write(prompt);
    begin();
  }
}

/** The script between the frame of scripts/as-root.sh and the script's own input; undefined when it did not come whole. */
function scriptIn(input: Buffer, mark: string): string | undefined {
  const afterMark = input.subarray(input.indexOf(`${mark} `));
  const header = afterMark.subarray(0, afterMark.indexOf("\n") + 1);
  const frameBytes = Number(header.toString().split(" ")[1]);
  const frame = afterMark.subarray(header.length, header.length + frameBytes).toString();
  const scriptBytes = Number(/^frame_bytes=(\d+)\n/.exec(frame)?.[1]);
  const start = header.length + frameBytes;
  return afterMark.length >= start + scriptBytes ? afterMark.subarray(start, start + scriptBytes).toString() : undefined;
}
