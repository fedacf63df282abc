import type { MachineReport, Observation } from "../observation.ts";
import { machineOf, nameOf, wantedMachines } from "../ring.ts";
import type { Refusal, Step } from "../step.ts";
import { list, recoverCommand, refuse } from "../texts.ts";

/** Where nobody runs a cluster and nobody can hide one, the first control plane is made. */
export function firstControlPlane(observation: Observation, knownCaCertHash: string | undefined): Step | undefined {
  const { machines } = observation;
  if (machines.some(({ state }) => state === "member") || !onlyAnInit(observation)) return undefined;
  // A reset that has not ended took the data by somebody's word, and kept the cluster's CA.
  const known = knownCaCertHash !== undefined && !machines.some(({ wanted, keptCaCertHash }) => wanted && keptCaCertHash === knownCaCertHash);
  return mayBeHidden(observation, known) ?? (known ? lostCluster(observation) : beginning(observation));
}

/** Whether no member is seen but that of an init that has not ended: then no cluster is there yet. */
function onlyAnInit(observation: Observation): boolean {
  const states = observation.members.map((member) => machineOf(observation, member)?.state);
  return states.length <= 1 && states.every((state) => state === "working" || state === "unfinished");
}

function mayBeHidden(observation: Observation, known: boolean): Refusal | undefined {
  const hidden = observation.machines.filter(({ unreachable }) => unreachable !== undefined);
  if (hidden.length === 0) return undefined;
  const names = list(hidden.map(({ name }) => name));
  return refuse(
    observation,
    `no etcd member is seen, and ${hidden.map(({ name, unreachable }) => `${name} cannot be reached (${unreachable})`).join(", ")}: the cluster may be there`,
    known || hidden.some(({ wanted }) => !wanted)
      ? `bring ${names} back and run \`pulumi up\` again; if the data is lost, \`${recoverCommand}\` from a snapshot, or \`pulumi destroy\` and then \`pulumi up\` for a new cluster`
      : `see that ${names} can be reached over SSH, and run \`pulumi up\` again`,
  );
}

function lostCluster(observation: Observation): Refusal {
  const [unfinished] = observation.members;
  return refuse(
    observation,
    unfinished
      ? `the cluster that this stack knows has no finished control plane any more; ${nameOf(unfinished)} runs etcd, and is not finished`
      : "the cluster that this stack knows is gone from every control-plane machine, and its data with it",
    `run \`${recoverCommand}\` from a snapshot; or \`pulumi destroy\`, and \`pulumi up\` for a new cluster`,
  );
}

/** An init that was begun is ended first: two of them would make two clusters. */
function beginning(observation: Observation): Step | undefined {
  const begun = ({ state }: MachineReport) => state === "working" || state === "unfinished";
  const left = observation.machines.find((machine) => !machine.wanted && begun(machine));
  if (left?.state === "working") return { kind: "join", machine: left.name, wanted: false, running: true, reason: `its control plane is being made` };
  if (left) return { kind: "reset", machine: left.name, wanted: false, reason: `${left.name} left the settings before its control plane was finished` };
  const wanted = wantedMachines(observation);
  const keeper = wanted.find(({ keptCaCertHash }) => keptCaCertHash !== undefined);
  if (keeper) return { kind: "init", machine: keeper.name, reason: `a reset on ${keeper.name} has taken the control plane away and kept its CA` };
  const resumed = wanted.find(begun);
  if (resumed) return { kind: "init", machine: resumed.name, reason: `the first control plane was begun on ${resumed.name} and is not finished` };
  return wanted[0] && { kind: "init", machine: wanted[0].name, reason: "no machine runs a control plane" };
}
