import { execa } from "execa";
import { install, missingPackages } from "./prerequisites.ts";

// Debian's Chromium, and letters for Korean names.
const missing = await missingPackages({ chromium: "chromium" }, ["fonts-nanum"]);
if (missing.length > 0 && process.getuid?.() !== 0) throw new Error(`The browser's tests need ${missing.join(", ")}. Next: sudo apt-get install ${missing.join(" ")}`);
if (missing.length > 0) {
  console.log(`Installing ${missing.join(", ")}.`);
  await install(missing);
}
const { exitCode } = await execa("vitest", ["run", "--project", "browser", ...process.argv.slice(2)], { preferLocal: true, stdio: "inherit", reject: false });
process.exitCode = exitCode ?? 1;
