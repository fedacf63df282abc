import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { environmentName, text } from "../kubeadm/fields.ts";
import { expandHome } from "../machine/home.ts";
import type { SettingFault } from "./class-file.ts";

/** What is written of keys in a class file that may have any fault. */
interface Written {
  readonly cluster?: { readonly ssh?: SshKeys & { readonly bastion?: SshKeys } };
  readonly instructorKeyPath?: unknown;
}

interface SshKeys {
  readonly privateKeyPath?: unknown;
  readonly privateKeyEnv?: unknown;
}

/**
 * Keys of a class file that cannot be read here: what would be wrong for every student is told once, before any machine is asked.
 *
 * @param directory of the class file, from which the instructor's key is looked for
 */
export function keyFaults(raw: unknown, directory: string): SettingFault[] {
  const { cluster, instructorKeyPath } = raw as Written;
  const privateKeys = [
    { place: ["cluster", "ssh"], keys: cluster?.ssh },
    { place: ["cluster", "ssh", "bastion"], keys: cluster?.ssh?.bastion },
  ].flatMap(({ place, keys }) => [
    ...unreadable([...place, "privateKeyPath"], keys?.privateKeyPath, "or make a key with `ssh-keygen -t ed25519` and put its public part on the machines with `ssh-copy-id`"),
    ...unset([...place, "privateKeyEnv"], keys?.privateKeyEnv),
  ]);
  return [...privateKeys, ...unreadable(["instructorKeyPath"], instructorKeyPath, "or take the setting out", directory)];
}

function unreadable(path: readonly string[], written: unknown, otherwise: string, directory = ""): SettingFault[] {
  const { data: key } = text.safeParse(written);
  if (key === undefined) return [];
  try {
    accessSync(resolve(directory, expandHome(key)), constants.R_OK);
    return [];
  } catch (error) {
    return [{ path, reason: `the key ${key} cannot be read (${(error as NodeJS.ErrnoException).code}). Next: correct the path, ${otherwise}` }];
  }
}

function unset(path: readonly string[], written: unknown): SettingFault[] {
  const { data: name } = environmentName.safeParse(written);
  return name === undefined || process.env[name] ? [] : [{ path, reason: `the environment variable ${name} is not set. Next: export ${name}` }];
}
