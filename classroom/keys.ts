import { accessSync, constants } from "node:fs";
import { expandHome } from "../machine/home.ts";
import type { ClassSettings } from "./class-file.ts";

/**
 * Keys of the class file that cannot be read here, a sentence each: what would be wrong for every student is told once, before any
 * machine is asked.
 */
export function keyFaults({ cluster, instructorKeyPath }: ClassSettings): string[] {
  const { ssh } = cluster;
  const privateKeys = [
    { place: "cluster.ssh", keys: ssh },
    { place: "cluster.ssh.bastion", keys: ssh?.bastion },
  ].flatMap(({ place, keys }) => [
    ...unreadable(`${place}.privateKeyPath`, keys?.privateKeyPath, "or make a key with `ssh-keygen -t ed25519` and put its public part on the machines with `ssh-copy-id`"),
    ...unset(`${place}.privateKeyEnv`, keys?.privateKeyEnv),
  ]);
  return [...privateKeys, ...unreadable("instructorKeyPath", instructorKeyPath, "or take the setting out")];
}

function unreadable(setting: string, path: string | undefined, otherwise: string): string[] {
  if (path === undefined) return [];
  try {
    accessSync(expandHome(path), constants.R_OK);
    return [];
  } catch (error) {
    return [`${setting}: the key ${path} cannot be read (${(error as NodeJS.ErrnoException).code}). Next: correct the path, ${otherwise}`];
  }
}

const unset = (setting: string, name: string | undefined): string[] =>
  name === undefined || process.env[name] ? [] : [`${setting}: the environment variable ${name} is not set. Next: export ${name}`];
