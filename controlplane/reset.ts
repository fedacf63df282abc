import { z } from "zod";
import { byHandSchema } from "../machine/by-hand.ts";
import { inspect } from "../machine/inspect.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { SshTarget } from "../machine/target.ts";
import { unlessGone } from "./not-given-back.ts";

const inspectionSchema = z.object({
  facts: z.object({
    /** `project/stack/cluster` that the machine belongs to; empty for nobody. */
    owner: z.string(),
    /** What somebody made by hand; null for nothing. */
    byHand: byHandSchema.nullable(),
    /** PEM, of the cluster's CA whose keys are there; empty without them. */
    caCert: z.base64().transform((text) => Buffer.from(text, "base64").toString()),
  }),
});

/** What there is to take away from a machine, and whether the keys of a CA are on it. */
export type ResetFacts = z.output<typeof inspectionSchema>["facts"];

/** Looks at what a reset would take away; changes nothing. @param owner `project/stack/cluster` */
export async function inspectReset(owner: string, target: SshTarget, reporter: Reporter): Promise<ResetFacts> {
  const environment = { OWNER: owner, RENEW: "", CA_CERT: "" };
  return inspectionSchema.parse(await inspect(target, "reset", renderScript("reset.sh"), environment, reporter)).facts;
}

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
