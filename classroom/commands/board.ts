import type { Command } from "commander";
import { closeAllConnections } from "../../machine/connection.ts";
import { openBoard } from "../board.ts";
import { isLoopback } from "../board/server.ts";
import { contextOf, withClass, type ClassOptions } from "./context.ts";

interface BoardOptions extends ClassOptions {
  readonly port: string;
  readonly host: string;
}

/** `classroom board`: the whole class on one page, live. */
export function addBoard(program: Command): void {
  withClass(program.command("board"))
    .description("serve one page with a tile for each student, live and read-only, until Ctrl-C")
    .option("--port <port>", "TCP port; 0 for any that is free", "8040")
    .option("--host <address>", "address of this computer to serve at; 0.0.0.0 shows the page to everybody in the network", "127.0.0.1")
    .action(async (options: BoardOptions) => {
      const { klass, students, journal } = contextOf(options);
      const port = Number(options.port);
      if (!/^\d+$/.test(options.port) || port > 65_535) throw new Error(`--port must be 0 to 65535, not ${options.port}`);
      const asked = asksToEnd();
      const board = await openBoard({ klass, students, journal }, { host: options.host, port });
      console.log(`The board of ${klass.name}: ${board.url}\nIt looks at the machines while the page is open. Ctrl-C ends it.`);
      if (!isLoopback(options.host)) console.log("Everybody who reaches this computer over the network can open it: ids, names, and what is wrong.");
      await asked;
      await board.close();
      closeAllConnections();
      // A login that is tried at a dead machine would go on for its whole connect timeout, and nobody is there to see what comes of it.
      process.exit();
    });
}

/** Settled at Ctrl-C or a request to end. */
function asksToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}
