import { execa } from "execa";
import * as lab from "./api.ts";
import { prepareSite } from "./site.ts";

// Builds what the lab needs, with its progress on the screen, runs the tests of one project on real machines, and leaves nothing
// behind. A story whose chapter failed has no next one.
await prepareSite();
const { exitCode } = await execa("vitest", ["run", "--bail", "1", "--project", ...process.argv.slice(2)], { preferLocal: true, stdio: "inherit", reject: false });
await lab.down();
process.exitCode = exitCode ?? 1;
