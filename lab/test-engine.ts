import { execa } from "execa";
import { prepareSite } from "./site.ts";

// The engine and its language host are among what the lab builds.
const { tools } = await prepareSite();
const { exitCode } = await execa("vitest", ["run", "--project", "engine", ...process.argv.slice(2)], {
  preferLocal: true,
  stdio: "inherit",
  reject: false,
  env: { PULUMI_TOOLS: tools },
});
process.exitCode = exitCode ?? 1;
