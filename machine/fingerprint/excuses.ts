import type { Difference, Excuse } from "./differences.ts";
import { isOfCluster } from "./origin.ts";

/** Excuses what the pattern matches: `+` new, `-` gone or `~` changed, the section, and the key. */
const matching = (pattern: RegExp, reason: string): Excuse => ({ reason, covers: (difference) => pattern.test(textOf(difference)) });

const textOf = ({ section, key, before, after }: Difference): string => `${before === undefined ? "+" : after === undefined ? "-" : "~"} ${section} ${key}`;

/** What differs even on a machine on which a cluster came and went, and nothing else happened between two starts. */
export const ofTheSystem: readonly Excuse[] = [
  matching(/^. file \/var\/lib\/apt\/lists\/(auxfiles|partial)$/, "apt makes these empty folders its own at its first run"),
  matching(/^. file \/var\/lib\/dpkg\/status-old$/, "dpkg's copy of its list before the last change to it"),
  matching(/^. passing \/var\/log\/dpkg\.log$/, "dpkg's log: it tells the machine's owner what was installed and removed"),
  matching(/^. home \/home\/[^/]+\/\.sudo_as_admin_successful$/, "sudo itself marks that a member of its group has used it"),
  matching(/^. file \/var\/lib\/systemd\/random-seed$/, "systemd draws a new one at every shutdown"),
  matching(/^~ file \/var\/lib\/cloud\/(data|instances)\//, "cloud-init writes down what it did at every start"),
  matching(
    /^. sysctl (fs\.(epoll|fanotify|inotify)\.max_user_|kernel\.threads-max|net\.ipv4\.(tcp|udp)_mem|user\.max_|vm\.(min_free|user_reserve)_kbytes)/,
    "the kernel sizes these by the memory that it finds free when it boots",
  ),
];

/** What differs besides on a machine that has run for days since, and was not started anew in between. */
export const ofRunning: readonly Excuse[] = [
  {
    reason: "state of a program that was there before and still is: it writes there by itself",
    covers({ section, key, before, after }, seen) {
      const directory = /^\/var\/lib\/[^/]+(?=\/)/.exec(key)?.[0];
      if (section !== "file" || isOfCluster({ section, key, before, after })) return false;
      const isSame = before !== undefined && after !== undefined && key.startsWith("/var/lib/") && before.split(" ").slice(0, 3).join(" ") === after.split(" ").slice(0, 3).join(" ");
      return isSame || (directory !== undefined && seen.before.has(`file\t${directory}`) && seen.after.has(`file\t${directory}`));
    },
  },
  matching(/^~ file \/etc\/(ld\.so\.cache|adjtime|mtab)$/, "the system writes these anew by itself"),
  matching(/^. file \/etc\/(passwd|shadow|group|gshadow|subuid|subgid)-$/, "copies of the lists of accounts before the last change to them"),
  {
    reason: "the lists of accounts change with the accounts, which are told themselves",
    covers: ({ section, key }, { differences }) =>
      section === "file" && /^\/etc\/(passwd|shadow|group|gshadow|subuid|subgid)$/.test(key) && differences.some((other) => other.section === "user" || other.section === "group"),
  },
  {
    reason: "the mark of a package that is told itself",
    covers: ({ section, key }, { differences }) =>
      section === "manual-package" && differences.some((other) => other.section === "package" && (other.key === key || other.key.startsWith(`${key}:`)) && (other.before === undefined || other.after === undefined)),
  },
  {
    reason: "logs, and files that are gone after the next start; those of a cluster are told",
    covers: (difference) => difference.section === "passing" && !isOfCluster(difference),
  },
  matching(/^\+ passing \/run\/pulumi-kubeadm$/, "where the job ran that gave the machine back; gone after the next start"),
  matching(/^. module /, "a module that was loaded stays until the next start"),
  matching(/^[+-] sysctl /, "a kernel setting comes and goes with its module or link"),
  matching(/^. mount (\/run\/|\/proc\/|\/sys\/)/, "of logins and services of the moment"),
  matching(/^. running (user|user-runtime-dir|getty|serial-getty)@/, "of a login"),
  matching(/^. (unit|running|mount|file) (\/snap\/|\/etc\/systemd\/.*\/snap[-.]|snap[-.])/, "snapd brings its programs up to date by itself"),
  matching(/^. firewall .* f2b-/, "fail2ban shuts addresses out and lets them in by itself"),
];
