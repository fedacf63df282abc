import { describeHostKey } from "../machine/host-key.ts";
import type { Student } from "./roster.ts";

/** How machine/host-key.ts says where a machine's key is accepted. */
const settingOfKey = /set hostKey of \S+ to "([^"]+)"/g;

/** What a text says to do in a cluster's settings, in words of the roster, where those settings come from. */
export const inRosterWords = (text: string, { line }: Pick<Student, "line">): string =>
  text.replace(settingOfKey, (_, key: string) => `write ${describeHostKey(key).split(" ").at(-1)!} into the column hostkey of the roster, line ${line}`);
