/** One member in the list that an etcd member gives; ids are hexadecimal, as `etcdctl member remove` wants them. */
export interface ListedMember {
  readonly id: string;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  /** As https://10.0.0.11:2380. */
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
}

/** What one member answered to `endpoint status`. */
export interface MemberStatus {
  readonly memberId: string;
  readonly clusterId: string;
  /** Id of the member that it takes for the leader; "0" when it sees none. */
  readonly leader: string;
  readonly version: string;
  readonly raftTerm: number;
  readonly raftIndex: number;
  /** Bytes. */
  readonly dbSize: number;
  /** Bytes. */
  readonly dbSizeInUse: number;
  /** Bytes; 0 when it does not tell. */
  readonly dbSizeQuota: number;
  /** Alarms among them. */
  readonly errors: readonly string[];
}

/** etcd as seen from one machine that runs a member. */
export interface EtcdView {
  readonly clusterId: string;
  /** Id of the member on this machine. */
  readonly memberId: string;
  /** The list as this very member knows it, without asking the others. */
  readonly members: readonly ListedMember[];
  /** Of those members that answered this machine, itself among them. */
  readonly statuses: readonly MemberStatus[];
}

/** What a control-plane machine holds. */
export type MachineState =
  /** Nothing of a control plane. */
  | "none"
  /** An init or a join of ours that did not end, and nothing works on it now. */
  | "unfinished"
  /** An init or a join of ours that runs now. */
  | "working"
  /** A control plane that is not ours, or has lost our mark. */
  | "foreign"
  /** A control plane that our init or join has finished. */
  | "member";

/** What one control-plane machine told: one that the settings name, or one that left them and may still be a member. */
export interface MachineReport {
  readonly name: string;
  /** Cluster address. */
  readonly address: string;
  /** True for a machine of the settings. */
  readonly wanted: boolean;
  /** Why the machine could not be asked; then nothing below is known. */
  readonly unreachable?: string;
  readonly state?: MachineState;
  /** Whether a recovery of lost quorum began there and did not end. */
  readonly recovering?: boolean;
  /** Of a member: the hash of the CA on it. */
  readonly caCertHash?: string;
  /** Of a machine that is no member: the hash of the CA whose keys a reset that has not ended keeps on it. */
  readonly keptCaCertHash?: string;
  /** Of a member: whether its own apiserver, controller manager and scheduler say that they are ready. */
  readonly ready?: boolean;
  /** Undefined when no etcd answers on the machine. */
  readonly etcd?: EtcdView;
}

/** A member of the list that all who can be asked agree on. */
export interface EtcdMember {
  readonly id: string;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerUrl: string;
  readonly learner: boolean;
  readonly leader: boolean;
  /** Why it counts as sick, a few words; undefined: healthy. Unknown is sick. */
  readonly sick?: string;
  /** Whether some other machine's etcd reaches it: then it is not dead, whatever SSH says. */
  readonly answersPeers: boolean;
  /** What it last answered, for showing. */
  readonly status?: MemberStatus;
  /** Name of the machine that it runs on; undefined when no known machine does. */
  readonly machine?: string;
  /** Whether that machine is one of the settings: one that left them may have the same name. False when there is no machine. */
  readonly wanted: boolean;
}

/** The control plane, put together from what its machines told. */
export interface Observation {
  /** As given: the settings' order, then those that left. */
  readonly machines: readonly MachineReport[];
  /** In the order of their machines, then those without one. Empty when no cluster is seen, or the lists differ. */
  readonly members: readonly EtcdMember[];
  /** Why what the machines tell cannot be put together (lists or cluster ids differ, a name with another's address). Undefined when it can. */
  readonly disagreement?: string;
}
