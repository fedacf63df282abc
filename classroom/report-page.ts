import { moment } from "./moment.ts";
import type { Report, ReportEntry } from "./report.ts";
import { verdictWords } from "./verdicts.ts";

const escaped: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const text = (value: string): string => value.replace(/[&<>"']/g, (letter) => escaped[letter]!);

const zone = new Intl.DateTimeFormat("en", { timeZoneName: "longOffset" });
const zoneOf = (at: Date): string => zone.formatToParts(at).find(({ type }) => type === "timeZoneName")!.value;

/** Dark enough to be read in black and white; the word says it, the colour only helps. */
const colours: Readonly<Record<ReportEntry["verdict"], string>> = {
  untouched: "#444",
  "as-before": "#1a6b2f",
  clean: "#1a6b2f",
  differs: "#8a4b00",
  unproven: "#8a4b00",
  "not-given-back": "#a01515",
};

/** The report as one page that needs nothing else: no script, no font, no network. */
export function reportHtml({ class: name, machines }: Report): string {
  const counts = Object.entries(verdictWords).flatMap(([verdict, words]) => {
    const number = machines.filter((machine) => machine.verdict === verdict).length;
    return number === 0 ? [] : [`${number} ${words}`];
  });
  const latest = machines.map(({ at }) => at).sort().at(-1);
  const reasons = excusesOf(machines);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(name)}: machines given back</title>
<style>
  body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #111; background: #fff }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .35em .8em .35em 0; border-bottom: 1px solid #bbb }
  td.is { font-weight: 700; white-space: nowrap }
  ul { margin: 0; padding-left: 1.1em }
  small { color: #444 }
  tr { break-inside: avoid }
  @page { size: A4; margin: 15mm }
  @media print { body { margin: 0; font-size: 11px } }
</style>
<h1>${text(name)}: machines given back</h1>
<p>${machines.length === 1 ? "1 machine" : `${machines.length} machines`}: ${text(counts.join(", "))}.${latest === undefined ? "" : ` Last looked at ${moment(latest)} (${zoneOf(new Date(latest))}).`}</p>
<table>
<tr><th>student<th>machine<th>is<th>what was found</tr>
${machines.map(row).join("\n")}
</table>
<h2>What was compared</h2>
<p>Packages, files under /etc, /opt, /var/lib and /usr/local, kernel settings, systemd units, users and groups, mounts, network links, addresses, routes,
firewall rules, open ports, swap. Each machine was noted before the class first touched it, and held against that afterwards.</p>
${reasons.length === 0 ? "" : `<h2>Differences that are not counted</h2>\n<ul>\n${reasons.map(([reason, number]) => `<li>${text(reason)} <small>(${number})</small>`).join("\n")}\n</ul>`}
</html>
`;
}

function row({ student, name, machine, host, verdict, at, findings, left, comparedWith, problem }: ReportEntry): string {
  const who = name === undefined ? student : `${student} ${name}`;
  const told = [...(problem === undefined ? [] : [problem]), ...findings, ...left.map((sentence) => `left by the student: ${sentence}`)];
  const when = comparedWith === undefined ? `looked at ${moment(at)}` : `before ${moment(comparedWith)}, after ${moment(at)}`;
  return (
    `<tr><td>${text(who)}<td>${text(machine)}<br><small>${text(host)}</small><td class="is" style="color:${colours[verdict]}">${text(verdictWords[verdict])}` +
    `<td>${told.length === 0 ? "" : `<ul>${told.map((sentence) => `<li>${text(sentence)}`).join("")}</ul>`}<small>${text(when)}</small></tr>`
  );
}

/** The reasons that applied, with how many differences each excused on all machines. */
function excusesOf(machines: readonly ReportEntry[]): [reason: string, number: number][] {
  const sums = new Map<string, number>();
  for (const { excused = {} } of machines) for (const [reason, number] of Object.entries(excused)) sums.set(reason, (sums.get(reason) ?? 0) + number);
  return [...sums].sort(([, a], [, b]) => b - a);
}
