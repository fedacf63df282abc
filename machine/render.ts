import { readFileSync } from "node:fs";

/** The shell that runs on the machines lies beside this folder. */
const directory = new URL("../scripts/", import.meta.url);

/** Text of a file in `scripts/`. */
export function readScript(file: string): string {
  return readFileSync(new URL(file, directory), "utf8");
}

/** What the scripts share, each file of `scripts/lib/` behind those whose variables it needs when bash reads it. */
const library = [
  "shell",
  "places",
  "telling",
  "json",
  "waiting",
  "kubeadm",
  "files",
  "blocks",
  "owner",
  "os-release",
  "ledger",
  "undo",
  "inspection",
  "apt",
  "package-lists",
  "packages",
  "accounts",
  "openpgp",
  "repositories",
  "etcd",
  "certificates",
  "by-hand",
  "node-traces",
  "node-network",
  "node-reset",
  "verbs",
];

/** Text of `scripts/lib/`, in its order. */
export function readLibrary(): string {
  return library.map((name) => readScript(`lib/${name}.sh`)).join("\n");
}

/**
 * A whole script for a machine: the library, the file, and the line that calls the verb in `$1`.
 *
 * @param file name of a file in `scripts/`, as `kernel.sh`
 */
export function renderScript(file: string): string {
  return `${readLibrary()}\n${readScript(file)}\nstage_main "$@"\n`;
}

/** One value as one shell word, whatever is in it: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02 */
function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/**
 * Parameters as lines of shell, `NAME='value'`; a value may have any characters and several lines.
 *
 * @throws Error for a name that is not UPPER_CASE, and for a value with a NUL character, which no shell variable can hold
 */
export function renderEnvironment(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => {
      if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`"${name}" cannot be the name of a parameter: it must be UPPER_CASE`);
      if (value.includes("\0")) throw new Error(`The parameter ${name} has a NUL character in it`);
      return `${name}=${quote(value)}\n`;
    })
    .join("");
}
