import { readdirSync, readFileSync } from "node:fs";

/** What a script says of itself, without being run. */
export interface Script {
  /** What `set -- VERB` in front says. */
  readonly verb: string | undefined;
  /** The parameters in front, as `renderEnvironment` of machine/render.ts wrote them. */
  readonly variables: Readonly<Record<string, string>>;
  /** Everything behind them. */
  readonly body: string;
  /** What a machine without a control plane says, and does nothing, when the script is for control planes only. */
  readonly elsewhere: string | undefined;
}

/** The line that controlplane/on-control-plane.ts puts in front of a script. */
const onlyOnControlPlanes = /^\[\[ -s \/etc\/kubernetes\/admin\.conf \]\] \|\| \{ echo "([^"]+)" >&2; exit 1; \}\n/;

/** Reads what stands in front of a script's text. */
export function readScript(text: string): Script {
  const verb = /^set -- (\w+)\n/.exec(text);
  let at = verb ? verb[0].length : 0;
  const variables: Record<string, string> = {};
  const assignment = /([A-Z][A-Z0-9_]*)='/y;
  for (;;) {
    assignment.lastIndex = at;
    const name = assignment.exec(text)?.[1];
    if (name === undefined) break;
    let value = "";
    at = assignment.lastIndex;
    for (let close = text.indexOf("'", at); ; close = text.indexOf("'", at)) {
      value += text.slice(at, close);
      at = close + 1;
      if (!text.startsWith("\\''", at)) break;
      value += "'";
      at += 3;
    }
    variables[name] = value;
    at += 1;
  }
  const body = text.slice(at);
  return { verb: verb?.[1], variables, body, elsewhere: onlyOnControlPlanes.exec(body)?.[1] };
}

/** Each file of `scripts/` by its first line, which says what it is for. */
const directory = new URL("../../scripts/", import.meta.url);
const files = readdirSync(directory)
  .filter((file) => file.endsWith(".sh"))
  .map((file) => ({
    name: file.replace(/\.sh$/, ""),
    firstLine: readFileSync(new URL(file, directory), "utf8").split("\n")[0]!,
  }));

/**
 * Name of the file of `scripts/` that the body of a script holds besides the library, as `kernel`.
 *
 * @throws Error when it holds none
 */
export function nameOf(body: string): string {
  const found = files.find(({ firstLine }) => body.startsWith(`${firstLine}\n`) || body.includes(`\n${firstLine}\n`));
  if (!found) throw new Error(`a script that is none of scripts/: ${body.slice(0, 200)}`);
  return found.name;
}
