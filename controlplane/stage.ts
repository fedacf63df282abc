import { inspect } from "../machine/inspect.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Stage } from "../machine/stages/stage.ts";
import type { SshTarget } from "../machine/target.ts";
import { unlessGone } from "./not-given-back.ts";

/** The document that every script's inspect prints. */
interface Inspection {
  readonly drift: string[];
}

/**
 * Makes one stage so on one machine; doing it twice equals doing it once.
 *
 * @throws MachineError with the cause, the evidence and the next step
 */
export async function applyStage(stage: Stage, target: SshTarget, parameters: object, holder: string, reporter: Reporter): Promise<void> {
  await runJob({ ...jobOf(stage, target, parameters, holder, reporter), verb: "apply" });
}

/** What on the machine differs from the stage's parameters, a sentence each. Changes nothing. */
export async function inspectStage(stage: Stage, target: SshTarget, parameters: object, reporter: Reporter): Promise<string[]> {
  const document = await inspect(target, stage.name, renderScript(stage.script), stage.environment(parameters), reporter);
  return (document as Inspection).drift;
}

/** Undoes one stage from its ledger. */
export async function undoStage(stage: Stage, target: SshTarget, parameters: object, holder: string, reporter: Reporter): Promise<void> {
  await runJob({ ...jobOf(stage, target, parameters, holder, reporter), verb: "remove" });
}

/** Undoes one stage from its ledger. A machine that is gone is noted as not given back, and is no failure. */
export async function removeStage(stage: Stage, target: SshTarget, parameters: object, holder: string, reporter: Reporter): Promise<void> {
  await unlessGone(target, reporter, () => undoStage(stage, target, parameters, holder, reporter));
}

function jobOf(stage: Stage, target: SshTarget, parameters: object, holder: string, reporter: Reporter) {
  return {
    target,
    stage: stage.name,
    script: renderScript(stage.script),
    environment: stage.environment(parameters),
    deadlineSeconds: stage.deadlineSeconds,
    reporter,
    holder,
  };
}
