import { combine } from "../../../quorum/combine.ts";
import type { Step } from "../../../quorum/next-step.ts";
import type { EtcdView, ListedMember, MachineReport, MachineState, MemberStatus, Observation } from "../../../quorum/observation.ts";

/** A control-plane machine as it really is; what is left out is in order. */
export interface Box {
  readonly name: string;
  readonly address: string;
  readonly wanted: boolean;
  /** False: SSH does not get through. */
  readonly ssh: boolean;
  readonly state: MachineState;
  readonly ready: boolean;
  /** Id of the etcd that has its data here; undefined: none. */
  readonly memberId?: string;
  /** Whether that etcd runs. */
  readonly runs: boolean;
  readonly caCertHash: string;
}

/** A member as etcd has it in its list. */
export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly learner: boolean;
}

/** Machines and etcd's list: the truth, of which an observation is a picture. */
export interface World {
  readonly boxes: readonly Box[];
  readonly list: readonly Entry[];
  /** Ids of the members that raised one. It stays when the member goes. */
  readonly alarms: readonly string[];
  /** Id of the member that leads while there is a quorum; the first that runs when it cannot. */
  readonly leader?: string;
}

export const ca = "sha256:a";

/** What is to be said of a machine when it is made: "cp1" is a healthy voter that the settings name. */
export type Trait =
  | "left"
  /** SSH does not reach it and its etcd is down. */
  | "dead"
  /** SSH does not reach it, and its etcd runs. */
  | "noSsh"
  /** Reachable, its etcd is down. */
  | "silent"
  | "notReady"
  | "leads"
  | "learner"
  /** In the list without a name. */
  | "nameless"
  | "unfinished"
  | "working"
  /** Reachable, with nothing on it, but still in the list. */
  | "empty"
  | "alarm";

/** The same of a machine that is no member. "stale": a finished control plane whose etcd answers, with a list that has passed. */
export type OtherTrait = "left" | "unreachable" | "stale" | MachineState;

/** A world of members and of machines that are none. Addresses and ids come from a name's number: cp3 is 10.0.0.3 with id c3. */
export function world(members: Record<string, readonly Trait[]>, others: Record<string, readonly OtherTrait[]> = {}): World {
  const boxes = Object.entries(members).map(([name, traits]): Box => {
    const has = (trait: Trait) => traits.includes(trait);
    const runs = !has("dead") && !has("silent") && !has("empty") && !has("nameless");
    return {
      name,
      address: addressOf(name),
      wanted: !has("left"),
      ssh: !has("dead") && !has("noSsh"),
      state: has("empty") ? "none" : has("unfinished") ? "unfinished" : has("working") ? "working" : "member",
      ready: runs && !has("notReady"),
      ...(has("empty") ? {} : { memberId: idOf(name) }),
      runs,
      caCertHash: ca,
    };
  });
  const list = Object.entries(members).map(([name, traits]): Entry => ({
    id: idOf(name),
    name: traits.includes("nameless") ? "" : name,
    address: addressOf(name),
    learner: traits.includes("learner"),
  }));
  const bare = Object.entries(others).map(([name, traits]): Box => {
    const stale = traits.includes("stale");
    const state = traits.find((trait): trait is MachineState => !["left", "unreachable", "stale"].includes(trait)) ?? (stale ? "member" : "none");
    const etcd = { memberId: idOf(name), runs: stale };
    return { name, address: addressOf(name), wanted: !traits.includes("left"), ssh: !traits.includes("unreachable"), state, ready: false, ...etcd, caCertHash: ca };
  });
  const leader = Object.entries(members).find(([, traits]) => traits.includes("leads"))?.[0];
  const alarms = Object.keys(members).filter((name) => members[name]!.includes("alarm")).map(idOf);
  const all = [...boxes, ...bare];
  return { boxes: [...all.filter(({ wanted }) => wanted), ...all.filter(({ wanted }) => !wanted)], list, alarms, ...(leader ? { leader: idOf(leader) } : {}) };
}

const numberOf = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0);
export const addressOf = (name: string): string => `10.0.0.${numberOf(name)}`;
export const idOf = (name: string): string => `c${numberOf(name).toString(16)}`;

/** Members that take part: their etcd runs. */
export const alive = ({ boxes, list }: World): Entry[] => list.filter(({ id }) => boxes.some(({ memberId, runs }) => memberId === id && runs));

/** Whether etcd really can take a write: counted over every majority, not by the product's arithmetic. */
export function canWrite(truth: World): boolean {
  const voters = truth.list.filter(({ learner }) => !learner).length;
  return alive(truth).filter(({ learner }) => !learner).length * 2 > voters;
}

export const leaderOf = (truth: World): string => {
  const voters = alive(truth).filter(({ learner }) => !learner);
  if (voters.length * 2 <= truth.list.filter(({ learner }) => !learner).length) return "0";
  return voters.find(({ id }) => id === truth.leader)?.id ?? voters[0]!.id;
};

/** What each machine would tell. */
export function reportsOf(truth: World): MachineReport[] {
  return truth.boxes.map((box): MachineReport => {
    const { name, address, wanted } = box;
    if (!box.ssh) return { name, address, wanted, unreachable: "timed out" };
    const etcd = box.runs ? { etcd: viewOf(truth, box) } : {};
    return { name, address, wanted, state: box.state, ...(box.state === "member" ? { caCertHash: box.caCertHash, ready: box.ready } : {}), ...etcd };
  });
}

function viewOf(truth: World, box: Box): EtcdView {
  const memberId = box.memberId!;
  const listed = ({ id, name, address, learner }: Pick<Entry, "id" | "name" | "address" | "learner">): ListedMember => ({ id, name, peerUrls: [`https://${address}:2380`], learner });
  const members = truth.list.map(listed);
  if (!truth.list.some(({ id }) => id === memberId)) {
    return { clusterId: "1", memberId, members: [...members, listed({ ...box, id: memberId, learner: false })], statuses: [status(memberId, "0")] };
  }
  const errors = truth.alarms.map((id) => `memberID:${BigInt(`0x${id}`)} alarm:NOSPACE `);
  const statuses = alive(truth).map(({ id }) => status(id, leaderOf(truth), errors));
  return { clusterId: "1", memberId, members, statuses };
}

/** A status; etcd tells every member's alarms from each. */
export const status = (memberId: string, leader: string, errors: readonly string[] = [], clusterId = "1"): MemberStatus => ({
  memberId,
  clusterId,
  leader,
  version: "3.6.8",
  raftTerm: 2,
  raftIndex: 100,
  dbSize: 1,
  dbSizeInUse: 1,
  dbSizeQuota: 0,
  errors,
});

export const look = (truth: World): Observation => combine(reportsOf(truth));

/**
 * Does a step to the world, and fails where a real one would break the cluster or be refused by it.
 *
 * @throws Error that names what would have gone wrong
 */
export function take(before: World, step: Step): World {
  const truth = { ...before, leader: leaderOf(before) };
  const box = (name: string | undefined, wanted: boolean) => truth.boxes.find((other) => other.name === name && other.wanted === wanted);
  const change = (old: Box, to: Partial<Box>) => truth.boxes.map((other) => (other === old ? { ...old, ...to } : other));
  const must = (holds: boolean, fault: string) => {
    if (!holds) throw new Error(`${step.kind}: ${fault}`);
  };
  const finished = { state: "member", ready: true, runs: true } as const;
  switch (step.kind) {
    case "init": {
      const machine = box(step.machine, true)!;
      must(truth.boxes.every(({ ssh, state }) => ssh && state !== "member"), "a second cluster");
      const entry = { id: "f0", name: machine.name, address: machine.address, learner: false };
      return { boxes: change(machine, { ...finished, memberId: "f0" }), list: [entry], alarms: [] };
    }
    case "start": {
      const machine = box(step.machine, step.wanted)!;
      must(machine.ssh && machine.state === "member", "nothing to start there");
      return { ...truth, boxes: change(machine, { ...finished }) };
    }
    case "join": {
      const machine = box(step.machine, step.wanted)!;
      must(machine.ssh, "not reachable");
      must(step.wanted || step.running, "a join of a machine that left");
      must(step.running === (machine.state === "working"), "a second join");
      const clear = truth.list.every(({ learner, name }) => !learner && name !== "") && !truth.list.some(({ address }) => address === machine.address);
      if (step.running && truth.list.some(({ id }) => id === machine.memberId)) {
        return { ...truth, boxes: change(machine, finished), list: truth.list.map((entry) => (entry.id === machine.memberId ? { ...entry, name: machine.name, learner: false } : entry)) };
      }
      if (step.running && !(clear && canWrite(truth))) return { ...truth, boxes: change(machine, { state: "unfinished", memberId: undefined }) };
      must(step.running || machine.state === "none", `${machine.name} is not empty`);
      must(clear, "a learner is there, or its peer URL");
      must(canWrite(truth), "no quorum to add a member");
      const id = `a${truth.list.length}${numberOf(machine.name).toString(16)}${truth.list.some((entry) => entry.name === machine.name) ? "b" : ""}`;
      return {
        ...truth,
        boxes: change(machine, { ...finished, memberId: id }),
        list: [...truth.list, { id, name: machine.name, address: machine.address, learner: false }],
      };
    }
    case "remove": {
      const entry = truth.list.find(({ id }) => id === step.memberId)!;
      must(canWrite(truth), "no quorum to remove a member");
      must(truth.list.every(({ id, learner, name }) => id === step.memberId || (!learner && name !== "")), "beside a learner");
      must(truth.list.length > 1, "the last member");
      const machine = box(step.machine, step.wanted);
      must(machine === undefined || machine.ssh || !machine.runs, "alive, and only hidden from SSH");
      must(machine?.memberId === undefined || machine.memberId === step.memberId || !machine.runs, "another machine's member");
      must(leaderOf(truth) !== entry.id || step.leaderTo !== undefined, "the leader, and no heir");
      must(step.leaderTo === undefined || alive(truth).some(({ id, learner }) => id === step.leaderTo && !learner), "the heir cannot lead");
      const cleared = machine && step.reachable ? change(machine, { state: "none", ready: false, runs: false, memberId: undefined }) : truth.boxes;
      const left = { ...truth, boxes: cleared, list: truth.list.filter((other) => other !== entry), leader: step.leaderTo ?? truth.leader };
      must(canWrite(left), "quorum lost");
      return left;
    }
    case "reset": {
      const machine = box(step.machine, step.wanted)!;
      must(machine.ssh, "not reachable");
      must(machine.state !== "working", "a join runs there, and would end as a voter");
      const member = truth.list.some(({ id }) => id === machine.memberId);
      const onlyAnInit = truth.list.length === 1 && machine.state !== "member";
      must(!machine.runs || !member || onlyAnInit, "it is a member");
      return { ...truth, list: member && onlyAnInit ? [] : truth.list, boxes: change(machine, { state: "none", ready: false, runs: false, memberId: undefined }) };
    }
    case "nothing":
    case "refuse":
      return truth;
  }
}
