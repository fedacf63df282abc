import { describe, expect, test } from "vitest";
import { combine } from "../../../quorum/combine.ts";
import type { EtcdMember, EtcdView, ListedMember, MachineReport } from "../../../quorum/observation.ts";
import { peerUrlOf } from "../../../quorum/owners.ts";
import { addressOf, ca, idOf, look, reportsOf, status, world } from "./world.ts";

const listed = (name: string, more: Partial<ListedMember> = {}): ListedMember => ({
  id: idOf(name),
  name,
  peerUrls: [peerUrlOf(addressOf(name))],
  learner: false,
  ...more,
});

/** What an etcd tells that sees every member of its list well. */
const view = (of: string, members: readonly ListedMember[], more: Partial<EtcdView> = {}): EtcdView => ({
  clusterId: "1",
  memberId: idOf(of),
  members,
  statuses: members.map(({ id }) => status(id, members[0]!.id, [], more.clusterId)),
  ...more,
});

const finished = (name: string, etcd?: EtcdView, more: Partial<MachineReport> = {}): MachineReport => ({
  name,
  address: addressOf(name),
  wanted: true,
  state: "member",
  caCertHash: ca,
  ready: true,
  ...(etcd ? { etcd } : {}),
  ...more,
});

const lost = (name: string, more: Partial<MachineReport> = {}): MachineReport => ({ name, address: addressOf(name), wanted: true, unreachable: "timed out", ...more });
const empty = (name: string, more: Partial<MachineReport> = {}): MachineReport => ({ name, address: addressOf(name), wanted: true, state: "none", ...more });

const three = [listed("cp1"), listed("cp2"), listed("cp3")];
const member = (members: readonly EtcdMember[], name: string): EtcdMember => members.find((one) => one.name === name)!;

describe("a machine's member", () => {
  test("is the one whose id its own etcd tells", () => {
    const { members } = look(world({ cp1: [], cp2: ["leads"], cp3: [] }));
    expect(members.map(({ name, machine, wanted, leader, sick, answersPeers }) => ({ name, machine, wanted, leader, sick, answersPeers }))).toEqual([
      { name: "cp1", machine: "cp1", wanted: true, leader: false, sick: undefined, answersPeers: true },
      { name: "cp2", machine: "cp2", wanted: true, leader: true, sick: undefined, answersPeers: true },
      { name: "cp3", machine: "cp3", wanted: true, leader: false, sick: undefined, answersPeers: true },
    ]);
  });

  test.each(["silent", "dead"] as const)("is known by name and peer URL while its etcd does not answer (%s)", (trait) => {
    const { members } = look(world({ cp1: [], cp2: [trait], cp3: [] }));
    expect(member(members, "cp2")).toMatchObject({ machine: "cp2", wanted: true, sick: "does not answer", answersPeers: false });
  });

  test("is never that of a machine with nothing on it: that is the ghost of an earlier machine", () => {
    const { members, disagreement } = look(world({ cp1: [], cp2: ["empty"], cp3: [] }));
    expect(disagreement).toBeUndefined();
    expect(member(members, "cp2")).toMatchObject({ wanted: false, sick: "does not answer" });
    expect(member(members, "cp2").machine).toBeUndefined();
  });

  test("belongs to the machine that left when its replacement has the same name and address, and nothing on it", () => {
    const { members } = combine([finished("cp1", view("cp1", three)), empty("cp2"), finished("cp3", view("cp3", three)), lost("cp2", { wanted: false })]);
    expect(member(members, "cp2")).toMatchObject({ machine: "cp2", wanted: false });
  });

  test("belongs to the wanted one of two machines that it may be, when neither can tell: nothing is removed on a guess", () => {
    const { members } = combine([finished("cp1", view("cp1", three)), lost("cp2"), finished("cp3", view("cp3", three)), lost("cp2", { wanted: false })]);
    expect(member(members, "cp2")).toMatchObject({ machine: "cp2", wanted: true });
  });

  test("is told apart by the whole name: node1 is not node10", () => {
    const [node1, node10] = [listed("node1"), listed("node10")];
    const { members, disagreement } = combine([finished("node1", view("node1", [node1, node10])), finished("node10", undefined)]);
    expect(disagreement).toBeUndefined();
    expect(members.map(({ machine, sick }) => ({ machine, sick: sick !== undefined }))).toEqual([
      { machine: "node1", sick: false },
      { machine: "node10", sick: false },
    ]);
    expect(combine([finished("node1", view("node1", [node1])), empty("node10")]).members).toHaveLength(1);
  });

  test("has its peer URL in brackets where the address is of IPv6", () => {
    expect(peerUrlOf("fd00::1")).toBe("https://[fd00::1]:2380");
    expect(peerUrlOf("10.0.0.1")).toBe("https://10.0.0.1:2380");
  });

  test("is known by its peer URL alone as long as it has not started and has no name", () => {
    const { members } = look(world({ cp1: [], cp2: [], cp3: ["learner", "nameless", "unfinished"] }));
    expect(members[2]).toMatchObject({ name: "", machine: "cp3", learner: true, sick: "has not started yet" });
  });
});

describe("the health of a member", () => {
  const seen = (statuses: EtcdView["statuses"], others: EtcdView["statuses"] = statuses) =>
    member(combine([finished("cp1", view("cp1", three, { statuses })), finished("cp3", view("cp3", three, { statuses: others })), lost("cp2")]).members, "cp2");
  const ok = [status("c1", "c1"), status("c3", "c1")];

  test("is what it answered to its own machine, before what it answered to others", () => {
    const reports = [finished("cp1", view("cp1", three)), finished("cp2", view("cp2", three, { statuses: [status("c2", "0")] })), finished("cp3", view("cp3", three))];
    expect(member(combine(reports).members, "cp2").sick).toBe("sees no leader");
  });

  test("is good when others reach it, also while SSH does not reach its machine: who needs to look at the machine must ask for it", () => {
    const { machines, members } = look(world({ cp1: [], cp2: ["noSsh"], cp3: [] }));
    expect(member(members, "cp2")).toMatchObject({ machine: "cp2", answersPeers: true });
    expect(member(members, "cp2").sick).toBeUndefined();
    expect(machines.find(({ name }) => name === "cp2")).toMatchObject({ unreachable: "timed out" });
  });

  test("is not touched by an apiserver that is not ready", () => {
    expect(member(look(world({ cp1: [], cp2: ["notReady"], cp3: [] })).members, "cp2").sick).toBeUndefined();
  });

  test("unknown is sick", () => expect(seen(ok)).toMatchObject({ sick: "does not answer", answersPeers: false }));

  test("one that answers another machine's etcd is not dead, though this one does not reach it", () => {
    expect(seen(ok, [...ok, status("c2", "c1")])).toMatchObject({ answersPeers: true });
  });

  test.each([
    ["sees no leader", status("c2", "0")],
    ["answers for another cluster, 2", status("c2", "c1", [], "2")],
    ["etcdserver: corrupt cluster", status("c2", "c1", ["etcdserver: corrupt cluster"])],
    ["alarm NOSPACE", status("c2", "c1", [`memberID:${0xc2} alarm:NOSPACE `])],
    ["alarm CORRUPT of 1f, which is no member any more", status("c2", "c1", [`memberID:${0x1f} alarm:CORRUPT `])],
    [undefined, status("c2", "c1", [`memberID:${0xc3} alarm:NOSPACE `])],
  ])("%s", (sick, answered) => expect(seen([...ok, answered]).sick).toBe(sick));

  test("an alarm counts for the member that raised it, though every member tells it", () => {
    const { members } = look(world({ cp1: [], cp2: ["alarm"], cp3: [] }));
    expect(members.map(({ sick }) => sick)).toEqual([undefined, "alarm NOSPACE", undefined]);
  });

  test("the leader is that of the newest term", () => {
    const statuses = [status("c1", "c1"), { ...status("c2", "c2"), raftTerm: 3 }, status("c3", "c1")];
    const { members } = combine([finished("cp1", view("cp1", three, { statuses }))]);
    expect(members.filter(({ leader }) => leader).map(({ name }) => name)).toEqual(["cp2"]);
  });
});

describe("what the machines tell is put together", () => {
  test("nobody tells of a cluster: there is none", () => {
    expect(combine([empty("cp1"), lost("cp2")])).toMatchObject({ members: [] });
    expect(combine([])).toEqual({ machines: [], members: [] });
  });

  test("the members come in the order of the settings, those of no known machine last", () => {
    const { members } = combine([finished("cp3", view("cp3", three)), finished("cp1", view("cp1", three))]);
    expect(members.map(({ name }) => name)).toEqual(["cp3", "cp1", "cp2"]);
  });

  test("the order in which etcd gives its list does not matter", () => {
    expect(combine([finished("cp1", view("cp1", three)), finished("cp2", view("cp2", three.toReversed()))]).disagreement).toBeUndefined();
  });

  test("lists that differ are a disagreement while none has a quorum of its own voters behind it", () => {
    const observation = combine([finished("cp1", view("cp1", three)), finished("cp2", view("cp2", [...three, listed("cp4")]))]);
    expect(observation.members).toEqual([]);
    expect(observation.disagreement).toBe(
      "the control planes do not agree on etcd's members (cp1: cluster 1 of cp1, cp2, cp3; cp2: cluster 1 of cp1, cp2, cp3, cp4)",
    );
  });

  test("a list that differs is a disagreement when its teller is one of the others' list", () => {
    const reports = [finished("cp1", view("cp1", three)), finished("cp2", view("cp2", three)), finished("cp3", view("cp3", [three[2]!, three[1]!], { statuses: [status("c3", "0")] }))];
    expect(combine(reports).disagreement).toContain("do not agree");
  });

  test("a cluster id of its own is a disagreement: it may be a second cluster", () => {
    const reports = [finished("cp1", view("cp1", three)), finished("cp2", view("cp2", three, { clusterId: "2" })), finished("cp3", view("cp3", three))];
    expect(combine(reports).disagreement).toContain("cp2: cluster 2");
  });

  test("two lists with a quorum each are two clusters", () => {
    const reports = [finished("cp1", view("cp1", [listed("cp1")])), finished("cp2", view("cp2", [listed("cp2")], { clusterId: "2" }))];
    expect(combine(reports).disagreement).toBeDefined();
  });

  test("a member that was removed and still tells its old list is stale, and no disagreement", () => {
    const two = three.slice(0, 2);
    const stale = finished("cp3", view("cp3", three, { statuses: [status("c1", "c1"), status("c2", "c1"), status("c3", "0")] }));
    const { members, disagreement } = combine([finished("cp1", view("cp1", two)), finished("cp2", view("cp2", two)), stale]);
    expect(disagreement).toBeUndefined();
    expect(members.map(({ name }) => name)).toEqual(["cp1", "cp2"]);
  });

  test("so is a stale cluster beside a list with a quorum, but one with a quorum of its own is not", () => {
    const two = three.slice(0, 2);
    const main = [finished("cp1", view("cp1", two)), finished("cp2", view("cp2", two))];
    const other = (statuses: EtcdView["statuses"]) => finished("cp3", view("cp3", [listed("cp3", { id: "e3" })], { clusterId: "2", memberId: "e3", statuses }));
    expect(combine([...main, other([status("e3", "0", [], "2")])]).disagreement).toBeUndefined();
    expect(combine([...main, other([status("e3", "e3", [], "2")])]).disagreement).toBeDefined();
  });

  test("a learner that lags behind is not asked", () => {
    const list = [three[0]!, listed("cp2", { learner: true })];
    const lagging = finished("cp2", view("cp2", [listed("cp2", { learner: true })]), { state: "working" });
    const { members, disagreement } = combine([finished("cp1", view("cp1", list)), lagging]);
    expect(disagreement).toBeUndefined();
    expect(members).toMatchObject([{ name: "cp1" }, { name: "cp2", machine: "cp2", learner: true }]);
  });

  test("an init that did not end never stands for the cluster of a finished control plane, silent or not", () => {
    const own = view("cp2", [listed("cp2")], { clusterId: "2" });
    expect(combine([finished("cp1"), finished("cp2", own, { state: "unfinished" })]).members).toEqual([]);
    expect(combine([finished("cp1", view("cp1", [three[0]!])), finished("cp2", own, { state: "unfinished" })]).members).toMatchObject([{ name: "cp1" }]);
    expect(combine([empty("cp1"), finished("cp2", own, { state: "unfinished" })]).members).toMatchObject([{ name: "cp2" }]);
  });

  test("a control plane that is not ours is not believed", () => {
    const { members, disagreement } = combine([...reportsOf(world({ cp1: [] })), finished("cp9", view("cp9", [listed("cp9")], { clusterId: "9" }), { state: "foreign", wanted: false })]);
    expect(disagreement).toBeUndefined();
    expect(members.map(({ name }) => name)).toEqual(["cp1"]);
  });
});

describe("name and peer URL are one identity", () => {
  const [one, two] = [listed("cp1"), listed("cp2")];

  test("a member with a machine's address and another name is a disagreement", () => {
    const wrong = listed("cp9", { peerUrls: two.peerUrls });
    expect(combine([finished("cp1", view("cp1", [one, wrong])), lost("cp2")]).disagreement).toBe(
      "etcd member cp9 (c9, https://10.0.0.2:2380) has the peer URL of the machine cp2",
    );
  });

  test("a member with a machine's name and another address is a disagreement", () => {
    const wrong = { ...two, peerUrls: ["https://10.0.0.99:2380"] };
    expect(combine([finished("cp1", view("cp1", [one, wrong])), empty("cp2")]).disagreement).toBe(
      "etcd member cp2 (c2, https://10.0.0.99:2380) has the name of the machine cp2, whose peer URL is https://10.0.0.2:2380",
    );
  });

  test("a machine that runs a member of another name and address is a disagreement", () => {
    expect(combine([finished("cp1", view("cp1", [one, two])), finished("cp5", view("cp2", [one, two]))]).disagreement).toBe(
      "cp5 (https://10.0.0.5:2380) runs etcd member cp2 (c2, https://10.0.0.2:2380): another name or another peer URL",
    );
  });

  test("a machine that left explains a member that has its name and address, when a wanted one has only half of them", () => {
    const left = lost("cp2", { wanted: false });
    const moved = empty("cp2", { address: "10.0.0.7" });
    const renamed = empty("cp9", { address: addressOf("cp2") });
    for (const wanted of [moved, renamed]) {
      const { members, disagreement } = combine([finished("cp1", view("cp1", [one, two])), wanted, left]);
      expect(disagreement).toBeUndefined();
      expect(member(members, "cp2")).toMatchObject({ machine: "cp2", wanted: false });
    }
  });

  test("one machine under its old and its new name is the old one's member", () => {
    const etcd = view("cp2", [one, two]);
    const { members, disagreement } = combine([
      finished("cp1", view("cp1", [one, two])),
      finished("cp9", etcd, { address: addressOf("cp2") }),
      finished("cp2", etcd, { wanted: false }),
    ]);
    expect(disagreement).toBeUndefined();
    expect(member(members, "cp2")).toMatchObject({ machine: "cp2", wanted: false });
  });

  test("a member that no machine has anything of is not a disagreement", () => {
    expect(combine([finished("cp1", view("cp1", [one, two]))]).disagreement).toBeUndefined();
  });
});
