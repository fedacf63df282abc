import { homedir } from "node:os";
import { join } from "node:path";

/** A path with a leading `~` made absolute, as the shell of whoever runs this would. */
export function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}
