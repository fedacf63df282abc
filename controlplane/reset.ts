import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import { unlessGone } from "./not-given-back.ts";

/** Many pods on a slow disk take their time. */
export const resetDeadlineSeconds = 600;

/**
 * kubeadm reset and all that it leaves behind, on one machine. One that belongs to somebody else by now is left alone.
 *
 * @param owner `project/stack/cluster`
 * @throws MachineError; UnreachableError when the machine is gone
 */
export async function resetMachine(owner: string, target: SshTarget, holder: string, reporter: Reporter): Promise<void> {
  await runJob({
    target,
    stage: "reset",
    verb: "remove",
    script: renderScript("reset.sh"),
    environment: { OWNER: owner, RENEW: "", CA_CERT: "" },
    deadlineSeconds: resetDeadlineSeconds,
    reporter,
    holder,
  });
}

/** The same for a delete: a machine that is gone is noted, and is no failure. */
export async function resetUnlessGone(owner: string, target: SshTarget, holder: string, reporter: Reporter): Promise<void> {
  await unlessGone(target, reporter, () => resetMachine(owner, target, holder, reporter));
}
