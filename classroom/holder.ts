import { hostname, userInfo } from "node:os";

/**
 * Who works on a machine, as others are told who wait for it.
 *
 * @param command as `down`
 */
export const holderOf = (command: string): string => `${userInfo().username}@${hostname()} (process ${process.pid}, classroom ${command})`;
