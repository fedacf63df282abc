import { randomBytes } from "node:crypto";

/** One member, and the machine that its process is on. */
export interface ScriptedMember {
  readonly id: bigint;
  readonly name: string;
  /** Cluster address. */
  readonly address: string;
  learner: boolean;
  /** Whether its process runs now. */
  runs(): boolean;
}

/** An id over 2^63 with its last bit set: no number of JavaScript comes near it. */
const largeId = (): bigint => randomBytes(8).readBigUInt64BE() | (1n << 63n) | 1n;

/** JSON as etcdctl writes it: ids as numbers, whatever their size. */
const json = (document: unknown): string =>
  `${JSON.stringify(document, (_key, value) => (typeof value === "bigint" ? `number ${value}` : value)).replace(/"number (\d+)"/g, "$1")}\n`;

/** The members of one etcd, and what etcd lets happen to them. Members that do not run answer nobody; without a quorum nothing is changed. */
export class ScriptedEtcd {
  readonly #clusterId = largeId();
  readonly #members: ScriptedMember[] = [];
  #leader: ScriptedMember | undefined;
  #term = 1;
  /** Names of all that were members at any time, in the order in which they were added. */
  readonly everyMember: string[] = [];

  /** What it looks like from outside, in the order in which the members were added: `cp1 voter`, `cp2 learner`. */
  get members(): string[] {
    return this.#members.map(({ name, learner }) => `${name} ${learner ? "learner" : "voter"}`);
  }

  /** Who leads: the one that did, or the first that can when that is gone. Nobody without a quorum. */
  get leader(): ScriptedMember | undefined {
    if (!this.hasQuorum) return undefined;
    const leads = (member: ScriptedMember) => member.runs() && !member.learner;
    if (!this.#leader || !this.#members.includes(this.#leader) || !leads(this.#leader)) {
      this.#leader = this.#members.find(leads)!;
      this.#term += 1;
    }
    return this.#leader;
  }

  /** Whether it can write. */
  get hasQuorum(): boolean {
    const voters = this.#members.filter(({ learner }) => !learner);
    return 2 * voters.filter((member) => member.runs()).length > voters.length;
  }

  /** Whether the member of a machine is in the list, and runs. */
  serves(member: ScriptedMember | undefined): member is ScriptedMember {
    return member !== undefined && this.#members.includes(member) && member.runs();
  }

  /**
   * Adds a member: the first one as a voter, each further one as a learner, as kubeadm does.
   *
   * @throws Error in etcd's words, or in those of kubeadm before 1.37, which joins nobody while a member is sick
   */
  add(member: Pick<ScriptedMember, "name" | "address" | "runs">): ScriptedMember {
    if (this.#members.length > 0 && !this.#members.every((other) => other.runs())) throw new Error("etcd cluster is not healthy");
    if (this.#members.some(({ learner }) => learner)) throw new Error("etcdserver: too many learner members in cluster");
    if (this.#members.some(({ address }) => address === member.address)) throw new Error("etcdserver: Peer URLs already exists");
    const added = { ...member, id: largeId(), learner: this.#members.length > 0 };
    this.#members.push(added);
    this.everyMember.push(added.name);
    return added;
  }

  /**
   * Takes a member out by its id, which etcdctl writes and reads in hexadecimal. One that is not in the list is out already.
   *
   * @throws Error without a quorum
   */
  remove(id: string): void {
    const index = this.#members.findIndex((member) => member.id === BigInt(`0x${id}`));
    if (index < 0) return;
    this.#commit();
    this.#members.splice(index, 1);
  }

  /** @throws Error without a quorum, and when there is no such voter */
  moveLeader(id: string): void {
    this.#commit();
    this.#elect(this.#members.find((member) => member.id === BigInt(`0x${id}`)));
  }

  /** Lets the member of that name lead. */
  lead(name: string): void {
    this.#elect(this.#members.find((member) => member.name === name));
  }

  #elect(heir: ScriptedMember | undefined): void {
    if (!heir || heir.learner || !heir.runs()) throw new Error("etcdserver: bad leader transferee");
    this.#leader = heir;
    this.#term += 1;
  }

  /** Makes a learner a voter. */
  promote(member: ScriptedMember): void {
    this.#commit();
    member.learner = false;
  }

  #commit(): void {
    if (!this.hasQuorum) throw new Error("etcdserver: request timed out");
  }

  /** What `etcdctl member list --write-out=json` prints at that member. */
  list(asked: ScriptedMember): string {
    return json({
      header: { cluster_id: this.#clusterId, member_id: asked.id, raft_term: this.#term },
      members: this.#members.map(({ id, name, address, learner }) => ({
        ID: id,
        name,
        peerURLs: [`https://${address}:2380`],
        clientURLs: [`https://${address}:2379`],
        ...(learner && { isLearner: true }),
      })),
    });
  }

  /** What `etcdctl endpoint status --write-out=json` prints for all of them: those answer that run. */
  get statuses(): string {
    const leader = this.leader?.id;
    return json(
      this.#members
        .filter((member) => member.runs())
        .map(({ id, address, learner }) => ({
          Endpoint: `https://${address}:2379`,
          Status: {
            header: { cluster_id: this.#clusterId, member_id: id, revision: 4711, raft_term: this.#term },
            version: "3.7.0",
            dbSize: 5_337_088,
            // What is 0 is left out.
            ...(leader !== undefined && { leader }),
            raftIndex: 5120,
            raftTerm: this.#term,
            raftAppliedIndex: 5120,
            ...(leader === undefined && { errors: ["etcdserver: no leader"] }),
            dbSizeInUse: 2_334_720,
            ...(learner && { isLearner: true }),
            storageVersion: "3.7.0",
            dbSizeQuota: 2_147_483_648,
            downgradeInfo: {},
          },
        })),
    );
  }
}
