import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIPv4, isIPv6, type AddressInfo } from "node:net";

/** Where the board is to be served. */
export interface BoardPlace {
  /** Address or name to listen at. */
  readonly host: string;
  /** TCP port; 0 for any that is free. */
  readonly port: number;
}

/** A page that reads itself, and what changes on it. */
export interface BoardContent {
  /** The page, HTML. */
  readonly page: string;
  /** Everything that a page needs that has just been opened, as JSON. */
  everything(): string;
  /** Called when the first viewer comes. */
  watched(): void;
  /** Called when the last viewer has gone. */
  unwatched(): void;
}

/** Also a page that nothing changes on hears this often that the board is there. */
const beatMs = 3000;

/** A viewer that takes nothing more off the line for this long a text is gone. */
const longestBacklog = 2 ** 20;

/** Enough for a room, and few enough that nobody can take this computer's files away. */
const mostConnections = 200;

const asset = (name: string) => readFileSync(new URL(`page/${name}`, import.meta.url));

/** The page itself may do no more than show what its own server says. */
const headers = {
  "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** Serves one page, read-only, with what changes on it as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export class BoardServer {
  readonly #content: BoardContent;
  readonly #place: BoardPlace;
  readonly #server: Server;
  readonly #viewers = new Set<ServerResponse>();
  #beat: NodeJS.Timeout | undefined;

  private constructor(content: BoardContent, place: BoardPlace) {
    this.#content = content;
    this.#place = place;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.maxConnections = mostConnections;
  }

  /**
   * Begins to serve.
   *
   * @throws Error when the port is taken, or the address is none of this computer
   */
  static async open(content: BoardContent, place: BoardPlace): Promise<BoardServer> {
    const board = new BoardServer(content, place);
    board.#server.listen(place.port, place.host);
    try {
      await once(board.#server, "listening");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE") throw new Error(`The port ${place.port} of ${place.host} is taken. Next: end what listens there, or choose another with --port.`);
      if (code === "EACCES") throw new Error(`The port ${place.port} may not be opened. Next: choose one above 1023 with --port.`);
      throw new Error(`The board cannot be served at ${place.host}: ${message}. Next: give --host an address of this computer.`);
    }
    return board;
  }

  /** `http://127.0.0.1:8040/`. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${isIPv6(address) ? `[${address}]` : address}:${port}/`;
  }

  /** Sends an event to every page that is open. @param data one line */
  send(event: string, data: string): void {
    for (const viewer of this.#viewers) {
      if (viewer.writableLength > longestBacklog) viewer.destroy();
      else viewer.write(`event: ${event}\ndata: ${data}\n\n`);
    }
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    clearInterval(this.#beat);
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (!isOwnHost(request.headers.host ?? "", this.#place.host)) return refuse(response, 421, "This board is not served under that name.");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return refuse(response, 405, "This board can only be looked at.");
    }
    switch (request.url?.split("?")[0]) {
      case "/":
        return reply(response, "text/html; charset=utf-8", this.#content.page);
      case "/board.css":
        return reply(response, "text/css; charset=utf-8", asset("board.css"));
      case "/board.js":
        return reply(response, "text/javascript; charset=utf-8", asset("board.js"));
      case "/events":
        return this.#stream(request, response);
      default:
        return refuse(response, 404, "There is only one page.");
    }
  }

  #stream({ method }: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    if (method === "HEAD") return void response.end();
    response.on("close", () => this.#left(response));
    response.write(`retry: 1000\nevent: everything\ndata: ${this.#content.everything()}\n\n`);
    this.#viewers.add(response);
    if (this.#viewers.size > 1) return;
    this.#beat = setInterval(() => this.send("beat", String(Date.now())), beatMs);
    this.#content.watched();
  }

  #left(response: ServerResponse): void {
    if (!this.#viewers.delete(response) || this.#viewers.size > 0) return;
    clearInterval(this.#beat);
    this.#content.unwatched();
  }
}

function reply(response: ServerResponse, type: string, body: string | Buffer): void {
  // Node leaves the body out of the answer to HEAD by itself.
  response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${sentence}\n`);
}

/** Whether an address or a name is this computer for itself alone. */
export const isLoopback = (name: string): boolean => name === "localhost" || (isIPv4(name) && name.startsWith("127.")) || name === "::1";

/**
 * Whether a request means this server. A page of somebody else can make its own name stand for 127.0.0.1 and would then read along
 * (DNS rebinding); its requests carry that name. Served to the network, the board has any name that the network gives it.
 *
 * @param header as `localhost:8040`
 * @param bound where the server listens
 */
export function isOwnHost(header: string, bound: string): boolean {
  if (!isLoopback(bound)) return true;
  const name = /^(?:\[([^\]]+)\]|([^:]*))(?::\d+)?$/.exec(header);
  return isLoopback((name?.[1] ?? name?.[2] ?? "").toLowerCase());
}
