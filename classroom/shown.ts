import { relative, resolve, sep } from "node:path";

/** A path as the operator would type it: from here when it is below, else from the root. */
export function shown(path: string): string {
  const fromHere = relative("", path);
  return fromHere === ".." || fromHere.startsWith(`..${sep}`) ? resolve(path) : fromHere || ".";
}
