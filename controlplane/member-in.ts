import { initDocuments, joinDocuments } from "../kubeadm/documents.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { MachineState } from "../quorum/observation.ts";
import type { Member } from "./member.ts";
import { newUpload, withJoinToken } from "./join-token.ts";
import { reportOf, type ObservedMachine } from "./observe.ts";
import type { Work } from "./reconcile.ts";
import { takeSnapshot } from "./snapshot.ts";
import { survivors } from "./survivors.ts";

/** kubeadm takes minutes on a slow disk with images to pull; its own time-outs end it with a better message before this. */
const deadlineSeconds = 1500;

/** What scripts/control-plane.sh does on a machine: begin with kubeadm, or only take up what is there. */
interface Beginning {
  readonly command: "init" | "join" | "";
  readonly documents: string;
  /** What the machine was seen to hold. */
  readonly expected: MachineState | undefined;
  readonly token?: string;
  readonly certificateKey?: string;
}

/** What a beginning needs of a step's work. */
export type StepWork = Pick<Work, "inputs" | "holder" | "reporter">;

/** Makes the first control plane of a new cluster. */
export function initialise(member: ObservedMachine, work: Work): Promise<void> {
  return initialiseAs(member, reportOf(member, work.observation)?.state, work);
}

/** The same on a machine of which is known what it holds. @param expected a machine that holds something else is refused */
export function initialiseAs(member: Member, expected: MachineState | undefined, work: StepWork): Promise<void> {
  const { cluster, members, schedulable } = work.inputs;
  return run(member, { command: "init", documents: initDocuments(cluster, member, members, schedulable), expected }, work);
}

/** Starts what has stopped on a member, and waits until it is ready. */
export function takeUp(member: Member, work: Work): Promise<void> {
  return run(member, { command: "", documents: "", expected: "member" }, work);
}

/**
 * Joins one more control plane: a snapshot first, then a token and a key of its own, kubeadm's join, which adds the machine as a
 * learner and promotes it when it has caught up, and the key and the token away again.
 */
export async function join(member: ObservedMachine, work: Work): Promise<void> {
  const { inputs, holder, reporter } = work;
  const { cluster, schedulable } = inputs;
  const through = survivors(work, member)[0]!;
  await takeSnapshot(through, cluster.etcd.snapshotDirectory, holder, reporter);
  reporter.progress(`joining ${member.name}: asking ${through.name} for a token and the certificates`);
  const upload = newUpload(cluster, through);
  await withJoinToken([through], member.name, upload, reporter, ({ token, caCertHash }) => {
    const credentials = { token, caCertHash, certificateKey: upload.certificateKey };
    const documents = joinDocuments(cluster, member, credentials, schedulable ? "schedulable-control-plane" : "control-plane");
    return run(member, { command: "join", documents, expected: reportOf(member, work.observation)?.state, ...credentials }, work);
  });
}

async function run(member: Member, { command, documents, expected, token = "", certificateKey = "" }: Beginning, { inputs, holder, reporter }: StepWork): Promise<void> {
  await runJob({
    target: member.target,
    stage: "control-plane",
    verb: "apply",
    script: renderScript("control-plane.sh"),
    environment: {
      KUBEADM_COMMAND: command,
      KUBEADM_CONFIG: documents,
      JOIN_TOKEN: token,
      CERTIFICATE_KEY: certificateKey,
      EXPECTED: expected ?? "",
      API_PORT: String(inputs.cluster.endpoint.port),
      NODE_NAME: member.name,
      LOGIN_USER: member.target.user,
    },
    deadlineSeconds,
    reporter,
    holder,
  });
}
