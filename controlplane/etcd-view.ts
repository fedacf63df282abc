import { z } from "zod";
import type { EtcdView } from "../quorum/observation.ts";

/** Ids are unsigned numbers of 64 bits, which protobuf's JSON leaves out when they are 0. */
const id = z.bigint().default(0n).transform((value) => value.toString(16));
const count = z.bigint().default(0n).transform(Number);

const listSchema = z.object({
  header: z.object({ cluster_id: id, member_id: id }),
  members: z.array(z.object({ ID: id, name: z.string().default(""), peerURLs: z.array(z.string()).default([]), isLearner: z.boolean().default(false) })),
});

const statusesSchema = z.array(
  z.object({
    Status: z.object({
      header: z.object({ cluster_id: id, member_id: id }),
      version: z.string().default(""),
      leader: id,
      raftTerm: count,
      raftIndex: count,
      dbSize: count,
      dbSizeInUse: count,
      dbSizeQuota: count,
      errors: z.array(z.string()).default([]),
    }),
  }),
);

/**
 * Reads what `etcdctl member list` and `endpoint status` wrote as JSON.
 *
 * @throws ZodError when it is not what etcdctl 3.5 to 3.7 writes
 */
export function etcdViewOf({ list, statuses }: { readonly list: string; readonly statuses: string }): EtcdView {
  const { header, members } = listSchema.parse(withExactNumbers(list));
  return {
    clusterId: header.cluster_id,
    memberId: header.member_id,
    members: members.map(({ ID, name, peerURLs, isLearner }) => ({ id: ID, name, peerUrls: peerURLs, learner: isLearner })),
    // It writes nothing at all when nobody answers.
    statuses: statusesSchema.parse(withExactNumbers(statuses || "[]") ?? []).map(({ Status: { header: of, ...status } }) => ({
      memberId: of.member_id,
      clusterId: of.cluster_id,
      ...status,
    })),
  };
}

/** The source text of a number that JSON.parse hands to its reviver: https://tc39.es/proposal-json-parse-with-source/ */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** JSON whose whole numbers become BigInts: an id would lose its last digits as a number of JavaScript. */
function withExactNumbers(text: string): unknown {
  const exact: Reviver = (_key, value, { source }) => (typeof value === "number" ? BigInt(source!) : value);
  return JSON.parse(text, exact as Parameters<typeof JSON.parse>[1]);
}
