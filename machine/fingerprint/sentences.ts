import type { Difference } from "./differences.ts";

/** How things of a section are called, one and several. */
const nouns: Readonly<Record<string, readonly [one: string, several: string]>> = {
  package: ["package", "packages"],
  hold: ["hold on a package", "holds on packages"],
  "manual-package": ["mark of a wanted package", "marks of wanted packages"],
  file: ["file", "files"],
  sysctl: ["kernel setting", "kernel settings"],
  unit: ["systemd unit", "systemd units"],
  running: ["running service", "running services"],
  user: ["user", "users"],
  group: ["group", "groups"],
  mount: ["mount", "mounts"],
  link: ["network link", "network links"],
  address: ["address", "addresses"],
  route: ["route", "routes"],
  firewall: ["firewall rule", "firewall rules"],
  module: ["kernel module", "kernel modules"],
  port: ["open port", "open ports"],
  swap: ["swap device", "swap devices"],
  passing: ["log or runtime file", "logs and runtime files"],
  home: ["file in a home directory", "files in home directories"],
};

/** More of one kind are counted. */
const named = 6;

/** What differs, a sentence for all things of a section that are new, gone or changed. The first of each are named. */
export function sentencesOf(differences: readonly Difference[]): string[] {
  const groups = new Map<string, Difference[]>();
  for (const difference of differences) {
    const kind = `${difference.before === undefined ? "new" : difference.after === undefined ? "gone" : "changed"}\t${difference.section}`;
    groups.set(kind, [...(groups.get(kind) ?? []), difference]);
  }
  return [...groups].map(([kind, members]) => {
    const [change, section] = kind.split("\t") as [string, string];
    const [one, several] = nouns[section] ?? [section, section];
    const rest = members.length - named;
    return `${change} ${members.length === 1 ? one : several}: ${members.slice(0, named).map(textOf).join(", ")}${rest > 0 ? `, and ${rest} more` : ""}`;
  });
}

/** The thing, with what is worth knowing of it. */
function textOf(difference: Difference): string {
  const { section, key, before, after, below } = difference;
  const plain = (value: string | undefined) => (value === undefined ? undefined : detailOf(section, value));
  const [was, is] = [plain(before), plain(after)];
  if (before !== undefined && after !== undefined) return was === is || was === undefined || is === undefined ? key : `${key} is ${is}, was ${was}`;
  const detail = is ?? was;
  const tree = (before ?? after)!.startsWith("d ") ? "/" : "";
  if (section === "file" || section === "home") return `${key}${tree}${below === undefined ? "" : ` with ${below} more below`}`;
  return detail === undefined || detail === "" ? key : `${key} ${detail}`;
}

/** What of a value people want to read; undefined where the key says all. */
function detailOf(section: string, value: string): string | undefined {
  switch (section) {
    case "package":
      return value.split(" ")[0];
    case "port":
      return value === "" ? undefined : `of ${value}`;
    case "file":
      // Kind, mode and owner; a digest says nothing to people.
      return /^[a-z] [0-7]+ /.test(value) ? value.split(" ").slice(1, 3).join(" ") : value.replace(/^l /, "");
    case "user":
    case "group":
    case "mount":
    case "home":
      return undefined;
    default:
      return value;
  }
}
