#!/usr/bin/env node
import { Command } from "commander";
import { closeAllConnections } from "../machine/connection.ts";
import { addGiveBack } from "./give-back.ts";
import { addRecover } from "./recover.ts";
import { addSnapshot } from "./snapshot.ts";
import { addStatus } from "./status.ts";
import { addWipe } from "./wipe.ts";

const program = new Command("pulumi-kubeadm").description("What Pulumi's own commands do not do. Run it in the project's directory.");
for (const add of [addStatus, addSnapshot, addRecover, addGiveBack, addWipe]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode ||= 1;
} finally {
  closeAllConnections();
}
