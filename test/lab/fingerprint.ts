import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sudo } from "./machine.ts";

const script = readFileSync(join(import.meta.dirname, "fingerprint.sh"), "utf8");

/**
 * What may differ on a machine that was given back, each with its reason. Anything else is something that the kit left behind.
 */
const excused: [pattern: RegExp, reason: string][] = [
  [/^. file\t\/var\/lib\/apt\/lists\/(auxfiles|partial)\/ /, "apt makes these empty folders its own at its first run"],
  [/^. file\t\/var\/lib\/dpkg\/status-old /, "dpkg's copy of its list before the last change to it"],
  [/^. run-or-log\t\/var\/log\/dpkg\.log$/, "dpkg's log: it tells the machine's owner what was installed and removed"],
  [/^. home\t\/home\/\w+\/\.sudo_as_admin_successful /, "sudo itself marks that a member of its group has used it"],
  [/^. file\t\/var\/lib\/systemd\/random-seed /, "systemd draws a new one at every shutdown"],
  [
    /^. sysctl\t(fs\.(epoll|fanotify|inotify)\.max_user_|kernel\.threads-max|net\.ipv4\.(tcp|udp)_mem|user\.max_|vm\.(min_free|user_reserve)_kbytes)/,
    "the kernel sizes these by the memory that it finds free when it boots",
  ],
];

/** Everything of a machine that a cluster could leave behind, a line each. */
export async function fingerprint(machine: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await sudo(machine, script);
  if (exitCode !== 0) throw new Error(`fingerprint of ${machine}: ${stderr}`);
  return stdout.split("\n").sort();
}

/** The lines that only one of two fingerprints has, with `-` for the first and `+` for the second, less what is excused. */
export function differences(before: string[], after: string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [...before.filter((line) => !is.has(line)).map((line) => `- ${line}`), ...after.filter((line) => !was.has(line)).map((line) => `+ ${line}`)].filter(
    (line) => !excused.some(([pattern]) => pattern.test(line)),
  );
}
