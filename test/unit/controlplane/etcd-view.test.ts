import { describe, expect, test } from "vitest";
import { etcdViewOf } from "../../../controlplane/etcd-view.ts";

// As etcdctl 3.6 and 3.7 write them with `--write-out=json`: a learner has `isLearner`, one that has not started no name, and what is
// 0 or empty is left out. The ids are over 2^53, where a number of JavaScript would lose the last digits.
const list =
  '{"header":{"cluster_id":14841639068965178418,"member_id":10276657743932975437,"raft_term":3},"members":[' +
  '{"ID":10276657743932975437,"name":"cp1","peerURLs":["https://10.0.0.11:2380"],"clientURLs":["https://10.0.0.11:2379"]},' +
  '{"ID":18446744073709551615,"name":"cp2","peerURLs":["https://10.0.0.12:2380"],"clientURLs":["https://10.0.0.12:2379"],"isLearner":true},' +
  '{"ID":1,"peerURLs":["https://10.0.0.13:2380"]}]}\n';

const statuses =
  '[{"Endpoint":"https://10.0.0.11:2379","Status":{"header":{"cluster_id":14841639068965178418,"member_id":10276657743932975437,"revision":4711,"raft_term":3},' +
  '"version":"3.7.0","dbSize":5337088,"leader":10276657743932975437,"raftIndex":5120,"raftTerm":3,"raftAppliedIndex":5119,"dbSizeInUse":2334720,' +
  '"storageVersion":"3.7.0","dbSizeQuota":2147483648,"downgradeInfo":{}}}]\n';

/** One status with these fields instead, as they stand in the text. */
const status = (fields: string) => `[{"Status":{"header":{"cluster_id":2,"member_id":3}${fields && `,${fields}`}}}]`;

describe("what etcdctl tells", () => {
  test("becomes ids as `etcdctl member remove` takes them, to the last digit", () => {
    const { clusterId, memberId, members } = etcdViewOf({ list, statuses: "" });
    expect(clusterId).toBe("cdf818194e3a8c32");
    expect(memberId).toBe("8e9e05c52164694d");
    expect(members.map(({ id }) => id)).toEqual(["8e9e05c52164694d", "ffffffffffffffff", "1"]);
  });

  test("has voters, learners, and members that have not started", () => {
    expect(etcdViewOf({ list, statuses }).members).toEqual([
      { id: "8e9e05c52164694d", name: "cp1", peerUrls: ["https://10.0.0.11:2380"], learner: false },
      { id: "ffffffffffffffff", name: "cp2", peerUrls: ["https://10.0.0.12:2380"], learner: true },
      { id: "1", name: "", peerUrls: ["https://10.0.0.13:2380"], learner: false },
    ]);
  });

  test("has the status of whoever answered", () => {
    expect(etcdViewOf({ list, statuses }).statuses).toEqual([
      {
        memberId: "8e9e05c52164694d",
        clusterId: "cdf818194e3a8c32",
        leader: "8e9e05c52164694d",
        version: "3.7.0",
        raftTerm: 3,
        raftIndex: 5120,
        dbSize: 5337088,
        dbSizeInUse: 2334720,
        dbSizeQuota: 2147483648,
        errors: [],
      },
    ]);
  });

  test.each(["", "null\n", "[]"])("%j: nobody answered", (text) => {
    expect(etcdViewOf({ list, statuses: text }).statuses).toEqual([]);
  });

  test("has leader 0 where a member sees none, and its errors", () => {
    const [told] = etcdViewOf({ list, statuses: status('"errors":["etcdserver: no leader"]') }).statuses;
    expect(told).toMatchObject({ memberId: "3", clusterId: "2", leader: "0", dbSizeQuota: 0, errors: ["etcdserver: no leader"] });
  });

  test("has alarms as etcd words them", () => {
    const alarm = "memberID:10276657743932975437 alarm:NOSPACE ";
    expect(etcdViewOf({ list, statuses: status(`"errors":["${alarm}"]`) }).statuses[0]!.errors).toEqual([alarm]);
  });

  test.each([
    ["no JSON", "Error: context deadline exceeded"],
    ["another document", '{"members":[]}'],
    ["ids as texts", list.replace("18446744073709551615", '"ffffffffffffffff"')],
  ])("is not taken when it is %s", (_what, text) => {
    expect(() => etcdViewOf({ list: text, statuses })).toThrow();
  });
});
