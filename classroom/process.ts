import { readFileSync } from "node:fs";

/**
 * Whether a process of this computer runs. One that was killed and whose parent has not collected it yet (a zombie, proc_pid_stat(5))
 * does not: some first processes of containers take minutes for that.
 *
 * @param program what the name of its program begins with; another program may have got the number since
 */
export function isRunning(pid: number, program = ""): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  try {
    const [, name, state] = /\((.*)\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))!;
    return name!.startsWith(program) && !"ZX".includes(state!);
  } catch {
    // Where there is no /proc, the number alone has to do.
    return true;
  }
}
