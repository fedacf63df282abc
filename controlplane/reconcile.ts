import { initDocuments } from "../kubeadm/documents.ts";
import { adminKubeconfig } from "../kubeadm/kubeconfig.ts";
import type { ClusterSettings } from "../kubeadm/settings.ts";
import { connect } from "../machine/connection.ts";
import { MachineError } from "../machine/errors.ts";
import { runJob } from "../machine/job.ts";
import { renderScript } from "../machine/render.ts";
import type { Reporter } from "../machine/reporter.ts";
import { nextStep } from "../quorum/next-step.ts";
import type { Member } from "./member.ts";
import { labelNode } from "./node.ts";
import { inspectMember, observe } from "./observe.ts";
import { resetMachine } from "./reset.ts";

/** The settings that every member of the cluster shares. */
export type SharedSettings = Pick<
  ClusterSettings,
  "name" | "kubernetesVersion" | "endpoint" | "network" | "kubeProxyMode" | "imageRepository" | "ignorePreflightErrors"
> & { readonly owner: string };

/** What the control plane is given. */
export interface ControlPlaneInputs {
  readonly cluster: SharedSettings;
  readonly members: Member[];
  /** True when there are no workers: then the control plane takes pods. */
  readonly schedulable: boolean;
}

/** What the control plane gives. */
export interface ControlPlaneResult {
  readonly kubeconfig: string;
  readonly caCertHash: string;
}

/** kubeadm init takes minutes on a slow disk with images to pull; its own time-outs end it with a better message before this. */
const startDeadlineSeconds = 1500;

/** A busy machine's apiserver may be ready at the end of a start and not a moment later. More often than this is no chance. */
const mostStarts = 3;

/**
 * Observes the members, does the next allowed step, and observes again, until every wanted member is ready.
 *
 * @param knownCaCertHash the cluster that the state remembers; undefined at the first time
 * @throws MachineError with the cause, the evidence and the next step
 */
export async function reconcile(
  inputs: ControlPlaneInputs,
  knownCaCertHash: string | undefined,
  holder: string,
  reporter: Reporter,
  olds?: ControlPlaneInputs,
): Promise<ControlPlaneResult> {
  const { members } = inputs;
  const taken = new Map<string, number>();
  for (;;) {
    reporter.progress("looking at the control plane");
    const states = await observe(members, reporter);
    const step = nextStep(states, knownCaCertHash);
    if (step.kind === "nothing") break;
    if (step.kind === "refuse") throw new MachineError({ machine: members[0]!.name, stage: "control-plane", cause: step.reason, next: step.next });
    const times = taken.get(step.member) ?? 0;
    if (times === mostStarts) {
      throw new MachineError({
        machine: step.member,
        stage: "control-plane",
        cause: `it was started ${times} times, and still ${step.reason}`,
        next: `look at \`journalctl -u kubelet\` and \`crictl ps -a\` on ${step.member}, and run \`pulumi up\` again`,
      });
    }
    taken.set(step.member, times + 1);
    reporter.progress(`starting the control plane on ${step.member}: ${step.reason}`);
    await start(members.find(({ name }) => name === step.member)!, inputs, holder, reporter);
  }

  for (const member of members) {
    const before = olds?.members.find(({ name }) => name === member.name);
    await labelNode(members, asNode(member, inputs.schedulable), before && asNode(before, olds!.schedulable), reporter);
  }
  return describe(inputs, reporter);
}

/** The taint that kubeadm puts on a control plane: https://kubernetes.io/docs/reference/labels-annotations-taints/#node-role-kubernetes-io-control-plane-taint */
const controlPlaneTaint = { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" } as const;

/** A member with the taint that its role asks for. A member that takes pods is untainted as one that had the taint before. */
function asNode(member: Member, schedulable: boolean): Member {
  return schedulable ? member : { ...member, taints: [...member.taints, controlPlaneTaint] };
}

async function start(member: Member, inputs: ControlPlaneInputs, holder: string, reporter: Reporter): Promise<void> {
  await runJob({
    target: member.target,
    stage: "control-plane",
    verb: "apply",
    script: renderScript("control-plane.sh"),
    environment: {
      KUBEADM_CONFIG: initDocuments(inputs.cluster, member, inputs.members, inputs.schedulable),
      NODE_NAME: member.name,
      LOGIN_USER: member.target.user,
    },
    deadlineSeconds: startDeadlineSeconds,
    reporter,
    holder,
  });
}

async function describe({ cluster, members }: ControlPlaneInputs, reporter: Reporter): Promise<ControlPlaneResult> {
  const member = members[0]!;
  const connection = await connect(member.target, reporter);
  const { code, stdout, stderr } = await connection.sudo({ script: "cat /etc/kubernetes/admin.conf", timeoutSeconds: 60 });
  if (code !== 0) {
    throw new MachineError({
      machine: member.name,
      stage: "control-plane",
      cause: `/etc/kubernetes/admin.conf cannot be read: ${stderr.trim()}`,
      next: "put it back with `kubeadm init phase kubeconfig admin` on that machine, and run `pulumi up` again",
    });
  }
  // Behind a bastion only the cluster's own network knows the machine, and whoever uses kubectl there is in it.
  const address = member.target.bastion ? member.clusterAddress : member.target.host;
  return adminKubeconfig(stdout, { address, port: cluster.endpoint.port, serverName: cluster.endpoint.name, clusterName: cluster.name });
}

/** What differs from a control plane in order, a sentence each. */
export async function inspectControlPlane({ members }: ControlPlaneInputs, reporter: Reporter): Promise<string[]> {
  const documents = await Promise.all(members.map((member) => inspectMember(member, reporter)));
  return documents.flatMap(({ drift }) => drift);
}

/** Takes the control plane from its machines, quorum or not, all at once. A machine that is gone is noted, and is no failure. */
export async function resetControlPlane({ members }: ControlPlaneInputs, holder: string, reporter: Reporter): Promise<void> {
  await Promise.all(members.map((member) => resetMachine(member.target, holder, reporter)));
}
