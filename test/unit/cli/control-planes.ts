import type { Member } from "../../../controlplane/member.ts";
import type { ObservedMachine } from "../../../controlplane/observe.ts";
import type { SharedSettings } from "../../../controlplane/reconcile.ts";
import { combine } from "../../../quorum/combine.ts";
import type { EtcdView, MachineReport, MemberStatus, Observation } from "../../../quorum/observation.ts";

/** What of a control plane is not in order; what is left out is. */
export interface Fault {
  /** SSH does not reach it, and its etcd is down. */
  readonly dead?: true;
  /** SSH reaches it, and its etcd is down. */
  readonly silent?: true;
  readonly learner?: true;
  readonly notReady?: true;
  readonly errors?: readonly string[];
  /** Entries that it is behind the leader. */
  readonly behind?: number;
  readonly state?: MachineReport["state"];
}

const addressOf = (index: number) => `10.0.0.1${index + 1}`;
const idOf = (index: number) => `a${index + 1}`;

/** A machine of the settings. */
export function member(name: string): Member {
  const host = addressOf(Number(name.slice(2)) - 1);
  return {
    name,
    host,
    clusterAddress: host,
    labels: {},
    taints: [],
    target: { name, host, port: 22, user: "ops", auth: { agent: true }, hostKeys: "pin", knownHostsPath: "~/.ssh/known_hosts", connectTimeoutSeconds: 30 },
  };
}

export const machines = (names: readonly string[]): ObservedMachine[] => names.map((name) => ({ ...member(name), wanted: true }));

export const settings = {
  name: "lab",
  owner: "project/dev/lab",
  endpoint: { name: "kubernetes-api.internal", port: 6443, vip: "10.0.0.100" },
  etcd: { snapshotDirectory: "/var/lib/pulumi-kubeadm/snapshots", electionTimeoutMilliseconds: 1000 },
} as SharedSettings;

/**
 * A look at control planes cp1, cp2, …: all voters, cp1 leads while there is a quorum.
 *
 * @param faults by machine, in their order
 */
export function look(faults: readonly Fault[]): Observation {
  const voters = faults.filter(({ learner }) => !learner);
  const runs = faults.map(({ dead, silent, state = "member" }) => !dead && !silent && state === "member");
  const quorate = voters.filter((fault) => runs[faults.indexOf(fault)]).length > voters.length / 2;
  const leader = quorate ? idOf(runs.indexOf(true)) : "0";
  const list = faults.map(({ learner = false }, index) => ({ id: idOf(index), name: `cp${index + 1}`, peerUrls: [`https://${addressOf(index)}:2380`], learner }));
  const statuses = faults.flatMap(({ errors = [], behind = 0 }, index): MemberStatus[] =>
    runs[index]
      ? [
          {
            memberId: idOf(index),
            clusterId: "c1",
            leader,
            version: "3.7.0",
            raftTerm: 2,
            raftIndex: 5000 - behind,
            dbSize: 24 * 2 ** 20,
            dbSizeInUse: 8 * 2 ** 20,
            dbSizeQuota: 2 ** 31,
            errors: [...errors, ...(quorate ? [] : ["etcdserver: no leader"])],
          },
        ]
      : [],
  );
  const view = (index: number): EtcdView => ({ clusterId: "c1", memberId: idOf(index), members: list, statuses });
  return combine(
    faults.map(({ dead, notReady, state = "member" }, index): MachineReport => {
      const report = { name: `cp${index + 1}`, address: addressOf(index), wanted: true };
      if (dead) return { ...report, unreachable: "no answer within 30 s" };
      if (state !== "member") return { ...report, state };
      return { ...report, state, caCertHash: "sha256:a", ready: quorate && !notReady && runs[index]!, ...(runs[index] && { etcd: view(index) }) };
    }),
  );
}
