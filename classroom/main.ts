#!/usr/bin/env node
import { Command } from "commander";
import { closeAllConnections } from "../machine/connection.ts";
import { addBoard } from "./commands/board.ts";
import { addCheck } from "./commands/check.ts";
import { addDown } from "./commands/down.ts";
import { addHandout } from "./commands/handout.ts";
import { addReset } from "./commands/reset.ts";
import { addStatus } from "./commands/status.ts";
import { addUp } from "./commands/up.ts";

const program = new Command("classroom").description("A class of student clusters, one stack each. Start with docs/classroom.md.");
for (const add of [addCheck, addUp, addStatus, addBoard, addHandout, addReset, addDown]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  closeAllConnections();
}
