import type { Observation } from "../observation.ts";
import type { Refusal } from "../step.ts";
import { recoverCommand, refuse } from "../texts.ts";

/** A control plane that is not ours, or not of this cluster, is never touched. One that left and is not ours is nobody's business. */
export function anotherCluster(observation: Observation, knownCaCertHash: string | undefined): Refusal | undefined {
  const { machines } = observation;
  const strange = machines.find(({ wanted, state }) => wanted && state === "foreign");
  if (strange) {
    return refuse(
      observation,
      `${strange.name} holds a control plane that this kit did not make, or has lost its own mark of it`,
      `keep it, and take ${strange.name} out of the settings; or run \`kubeadm reset\` on it, which destroys that cluster's data`,
    );
  }
  const certified = machines.filter(({ state, caCertHash }) => state !== "foreign" && caCertHash !== undefined);
  const known = knownCaCertHash ?? certified[0]?.caCertHash;
  const other = certified.find(({ caCertHash }) => caCertHash !== known);
  if (!other) return undefined;
  const against = knownCaCertHash === undefined ? `that ${certified[0]!.name} has` : "that this stack knows";
  return refuse(
    observation,
    `${other.name} runs the control plane of another cluster (its CA is not the one ${against})`,
    `${other.wanted ? `take ${other.name} out of the settings, or` : "if that cluster is not wanted any more,"} run \`kubeadm reset\` on ${other.name}` +
      (other.wanted ? " if that cluster is not wanted any more" : ""),
  );
}

/** Until a recovery has ended, etcd may be made to start as a cluster of one: nothing may be added to that. */
export function unfinishedRecovery(observation: Observation): Refusal | undefined {
  const machine = observation.machines.find(({ recovering }) => recovering);
  if (!machine) return undefined;
  return refuse(observation, `a recovery on ${machine.name} did not end`, `run \`${recoverCommand} --from ${machine.name}\` again: it goes on`);
}

/** What the members do not agree on is not known, and nothing is done about what is not known. */
export function disagreement(observation: Observation): Refusal | undefined {
  if (observation.disagreement === undefined) return undefined;
  return refuse(
    observation,
    observation.disagreement,
    "nothing was changed. When a join or a removal ran just now, run `pulumi up` again; else hold `etcdctl member list` on each control plane " +
      "against the names and addresses of the settings, and take out by hand what is wrong",
  );
}
