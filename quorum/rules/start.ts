import type { MachineReport, Observation } from "../observation.ts";
import { hasQuorum, isFullyHealthy, memberOf, ringOf, votersOf } from "../ring.ts";
import { quorum } from "../sizes.ts";
import type { Step } from "../step.ts";

/**
 * A finished control plane whose etcd, apiserver, controller manager or scheduler does not answer is started before anything else: sick is not dead. One that left
 * is started only when the quorum needs it, or when no other control plane is in order.
 */
export function startMember(observation: Observation): Step | undefined {
  if (!hasQuorum(ringOf(observation))) return startForQuorum(observation);
  const down = observation.machines.filter((machine) => votes(observation, machine) && (isSilent(machine) || isUnready(observation, machine)));
  const needed = votersOf(observation).every((voter) => !isFullyHealthy(observation, voter));
  const first = down.find(({ wanted }) => wanted || needed);
  return first && start(first);
}

/** While there is no quorum no apiserver gets ready: only an etcd is started, and only where that can bring the quorum back. */
function startForQuorum(observation: Observation): Step | undefined {
  const voters = votersOf(observation);
  // When no etcd answers nobody can tell the members, and every finished control plane may be one.
  const silent = observation.machines.filter((machine) => isSilent(machine) && (voters.length === 0 || votes(observation, machine)));
  const alive = voters.filter((voter) => voter.status !== undefined || silent.some((machine) => memberOf(observation, machine) === voter));
  const enough = voters.length === 0 || alive.length >= quorum(voters.length);
  return silent[0] && enough ? start(silent[0]) : undefined;
}

const votes = (observation: Observation, machine: MachineReport): boolean => memberOf(observation, machine)?.learner === false;

const isSilent = ({ state, etcd }: MachineReport): boolean => state === "member" && etcd === undefined;

/** Whether only something beside etcd is missing: an apiserver beside a sick etcd has its reason there. */
const isUnready = (observation: Observation, machine: MachineReport): boolean =>
  machine.state === "member" && machine.ready !== true && memberOf(observation, machine)?.sick === undefined;

function start(machine: MachineReport): Step {
  const what = isSilent(machine) ? "the etcd on it does not answer" : "its apiserver, controller manager or scheduler is not ready";
  return { kind: "start", machine: machine.name, wanted: machine.wanted, reason: what };
}

/**
 * A join that runs is waited for before anything else: it may be changing the membership. That of a machine that left, too: it would
 * end as a voter on a machine that is being reset.
 */
export function takeUp(observation: Observation): Step | undefined {
  const working = observation.machines.find(({ state }) => state === "working");
  return working && { kind: "join", machine: working.name, wanted: working.wanted, running: true, reason: `a join runs on ${working.name} already` };
}
