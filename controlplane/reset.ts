import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import { unlessGone } from "./not-given-back.ts";

/** kubeadm reset and all that it leaves behind, on one machine. A machine that is gone is noted, and is no failure. */
export async function resetMachine(target: SshTarget, holder: string, reporter: Reporter): Promise<void> {
  await unlessGone(target, reporter, () =>
    runJob({ target, stage: "reset", verb: "remove", script: renderScript("reset.sh"), environment: {}, deadlineSeconds: 600, reporter, holder }),
  );
}
