import { MachineError } from "../machine/errors.ts";
import { runDirectly } from "../machine/inspect.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Step } from "../quorum/step.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";
import { deleteNode, drainNode } from "./node.ts";
import type { Work } from "./reconcile.ts";
import { resetMachine } from "./reset.ts";
import { takeSnapshot } from "./snapshot.ts";
import { survivors } from "./survivors.ts";

/**
 * Takes a member out of the control plane, through one that stays: snapshot, the pods away from it, etcd's
 * leadership moved, the member removed and the list asked again, its node deleted, its machine reset.
 *
 * The member goes before its machine is touched: what leaves by itself takes its vote along only if it can still ask the others.
 */
export async function removeMember(step: Extract<Step, { kind: "remove" }>, work: Work): Promise<void> {
  const { inputs, machines, holder, reporter } = work;
  const machine = machines.find(({ name, wanted }) => name === step.machine && wanted === step.wanted);
  const through = survivors(work, machine);
  const coordinator = through[0]!;
  const leaves = step.reachable && machine !== undefined && !step.learner;
  await takeSnapshot(coordinator, inputs.cluster.etcd.snapshotDirectory, holder, reporter);
  if (leaves) await drainNode(through, machine.name, reporter);
  await runJob({
    target: coordinator.target,
    stage: "etcd-member",
    verb: "remove",
    script: renderScript("etcd-member.sh"),
    environment: { MEMBER_ID: step.memberId, MEMBER_NAME: step.member, LEADER_TO: step.leaderTo ?? "" },
    deadlineSeconds: 300,
    reporter,
    holder,
  });
  // A member that has never started has no name, and no node.
  if (step.machine !== undefined || step.member !== step.memberId) await deleteNode(through, step.machine ?? step.member, reporter);
  if (step.reachable && machine) await resetMachine(inputs.cluster.owner, machine.target, holder, reporter);
}

/** Has a machine that leaves give up the API's floating address, if it has it. One that does not answer has lost it by itself. */
export async function handAddressOn({ name, target }: Member, reporter: Reporter): Promise<void> {
  reporter.progress(`${name} hands the API's address on`);
  try {
    await runDirectly({ target, stage: "control-plane", verb: "apply", script: renderScript("leave.sh"), environment: {}, reporter, timeoutSeconds: 60 });
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
  }
}
