import { joinersReachable, nobodySick, oneInOrder, othersInOrder, quorumAfter } from "../gates.ts";
import type { MachineReport, Observation } from "../observation.ts";
import { memberOf, ringOf, runsListedMember, votersOf, wantedMachines, withOneMore } from "../ring.ts";
import type { Step } from "../step.ts";
import { refuse } from "../texts.ts";

/**
 * What an earlier membership or an ended join left on a machine goes before the machine joins. This comes after `quorumNow`: only a
 * list that has a quorum can say that a machine is not in it; and a finished control plane is only reset beside another.
 */
export function resetBeforeJoin(observation: Observation): Step | undefined {
  const stale = observation.machines.find(
    (machine) =>
      machine.wanted &&
      (machine.state === "member" || machine.state === "unfinished") &&
      !memberOf(observation, machine) &&
      !runsListedMember(observation, machine),
  );
  if (!stale) return undefined;
  const reset = { kind: "reset", machine: stale.name, wanted: stale.wanted, reason: staleReason(stale) } as const;
  return stale.state === "member" ? (oneInOrder(observation, `resetting ${stale.name}`) ?? reset) : reset;
}

function staleReason({ name, state }: MachineReport): string {
  return state === "member" ? `${name} holds a control plane that is no member of the cluster` : `a join of ${name} did not end`;
}

/**
 * The next wanted machine joins while there are fewer voters than wanted machines. Where one healthy machine takes another's place
 * the old one leaves first, so that there is never one voter too many; only a single voter waits for its successor.
 */
export function joinWanted(observation: Observation): Step | undefined {
  const wanted = wantedMachines(observation);
  const ring = ringOf(observation);
  const missing = wanted.filter((machine) => !memberOf(observation, machine));
  const free = missing.filter(({ unreachable }) => unreachable === undefined);
  // One whose name a member still has waits until that one has left, which a single voter cannot.
  const hasNamesake = ({ name }: MachineReport) => observation.members.some((member) => member.name === name);
  const machine = free.find((report) => !hasNamesake(report)) ?? (ring.voters === 1 ? free[0] : undefined);
  if (!machine || !(ring.voters < wanted.length || ring.voters === 1)) return undefined;

  const change = `joining ${machine.name}`;
  const after = withOneMore(ring);
  return (
    notInUse(observation, machine) ??
    notItsNamesake(observation, machine) ??
    nobodySick(observation, change, after) ??
    quorumAfter(observation, change, after) ??
    othersInOrder(observation, change) ??
    joinersReachable(observation, change) ??
    oneInOrder(observation, change) ?? { kind: "join", machine: machine.name, wanted: true, running: false, reason: `${machine.name} is no member yet` }
  );
}

/** A single voter stays until its successor has joined, and a cluster has one node of a name. */
function notItsNamesake(observation: Observation, machine: MachineReport): Step | undefined {
  if (!votersOf(observation).some((voter) => voter.machine === machine.name && !voter.wanted)) return undefined;
  return refuse(
    observation,
    `another machine is to take the name ${machine.name}, and the only control plane, which has it, must stay until the other one has joined`,
    "give the new machine another name",
  );
}

/** One machine under an old and a new name, or address: it cannot join a cluster that lives on it. */
function notInUse(observation: Observation, machine: MachineReport): Step | undefined {
  if (!runsListedMember(observation, machine)) return undefined;
  return refuse(
    observation,
    `${machine.name} still runs the etcd member that it was under its earlier name or address, and that member cannot leave first`,
    `go back to the earlier name and address of ${machine.name}, or add other control planes before it is renamed`,
  );
}
