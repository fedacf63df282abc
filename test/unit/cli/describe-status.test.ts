import { describe, expect, test } from "vitest";
import { describeStatus } from "../../../cli/describe-status.ts";
import { statusText } from "../../../cli/status-text.ts";
import type { StatusFacts } from "../../../controlplane/status.ts";
import { look, settings, type Fault } from "./control-planes.ts";

const now = new Date("2026-11-21T12:00:00Z");
const inDays = (days: number) => new Date(Number(now) + days * 86_400_000 + 1000);

/** A look at a cluster with one worker; the first control plane that runs holds the vip. */
function facts(faults: readonly Fault[], { days = 364, holders = [0] }: { days?: number; holders?: number[] } = {}): StatusFacts {
  const observation = look(faults);
  return {
    observation,
    machines: observation.machines.map(({ unreachable }, index) =>
      unreachable === undefined
        ? { certificates: [{ name: "ca", expires: inDays(3649) }, { name: "apiserver", expires: inDays(days) }], holdsVip: holders.includes(index) }
        : undefined,
    ),
    nodes: observation.machines.some(({ ready }) => ready)
      ? [...observation.machines.map(({ name, unreachable }) => ({ name, ready: !unreachable, cordoned: false, kubelet: "v1.37.1" })), { name: "w1", ready: true, cordoned: true, kubelet: "v1.37.1" }]
      : undefined,
  };
}

const status = (faults: readonly Fault[], options = {}) => describeStatus(settings, ["w1"], "sha256:a", facts(faults, options), now);

describe("the status of a cluster", () => {
  test("that is in order names no problem, and says what may be taken down", () => {
    const { verdict, problems, nextChange, etcd, endpoint } = status([{}, {}, {}]);
    expect(problems).toEqual([]);
    expect(verdict).toBe("healthy");
    expect(etcd).toEqual({ voters: 3, healthy: 3, quorum: 2, tolerance: 1, hasQuorum: true });
    expect(endpoint).toEqual({ name: "kubernetes-api.internal", port: 6443, kind: "vip", address: "10.0.0.100", holders: ["cp1"] });
    expect(nextChange).toEqual([expect.stringContaining("any one control plane may be taken down")]);
  });

  test("tells role, lag and size of each member, and the certificate that expires first", () => {
    const [first, second] = status([{}, { behind: 7 }, {}]).controlPlanes;
    expect(first).toMatchObject({ name: "cp1", node: "Ready", role: "leader", lag: 0, components: "ready", kubelet: "v1.37.1", certificate: { name: "apiserver", days: 364 } });
    expect(second).toMatchObject({ name: "cp2", role: "follower", lag: 7, dbBytes: 24 * 2 ** 20, dbInUseBytes: 8 * 2 ** 20 });
  });

  test("with a dead control plane shows it, and is not healthy", () => {
    const { verdict, problems, controlPlanes, nextChange } = status([{}, {}, { dead: true }]);
    expect(verdict).toBe("unhealthy");
    expect(controlPlanes[2]).toMatchObject({ name: "cp3", unreachable: "no answer within 30 s", sick: "does not answer", components: "unknown", node: "NotReady" });
    expect(problems).toEqual(
      expect.arrayContaining(["cp3 cannot be reached over SSH: no answer within 30 s", "etcd on cp3: does not answer", "node cp3 is not Ready"]),
    );
    expect(nextChange).toEqual([expect.stringMatching(/^none: cp3 cannot be reached/), expect.stringMatching(/^next: bring cp3 back/)]);
  });

  test("without a quorum says so, and that no apiserver tells the nodes", () => {
    const { verdict, problems, controlPlanes } = status([{}, { dead: true }, { dead: true }]);
    expect(verdict).toBe("unhealthy");
    expect(problems).toEqual(expect.arrayContaining(["etcd has no quorum: 0 of 3 voters healthy, 2 needed", "no apiserver tells the cluster's nodes"]));
    expect(controlPlanes[0]!.node).toBe("unknown");
  });

  test("is not known when no machine answers", () => {
    const { verdict, controlPlanes } = status([{ dead: true }, { dead: true }, { dead: true }]);
    expect(verdict).toBe("unknown");
    expect(controlPlanes.map(({ role }) => role)).toEqual(["unknown", "unknown", "unknown"]);
  });

  test("names an alarm", () => {
    const errors = [`memberID:${0xa3} alarm:NOSPACE `];
    const { controlPlanes, problems } = status([{ errors }, { errors }, { errors }]);
    expect(controlPlanes.map(({ alarms }) => alarms)).toEqual([[], [], ["NOSPACE"]]);
    expect(problems).toContain("etcd on cp3: alarm NOSPACE");
  });

  test.each([
    [29, "certificate apiserver on cp1 expires in 29 days: `kubeadm certs renew all` there, then restart the control plane's pods"],
    [-2, "certificate apiserver on cp1 has expired: `kubeadm certs renew all` there, then restart the control plane's pods"],
  ])("names a certificate with %i days left", (days, problem) => expect(status([{}], { days }).problems).toContain(problem));

  test.each([
    [[], ["no control plane holds 10.0.0.100"]],
    [[0, 1], ["cp1 and cp2 hold 10.0.0.100 at once: they do not hear each other's VRRP"]],
  ])("names who holds the API's address: %j", (holders, problems) => expect(status([{}, {}, {}], { holders }).problems).toEqual(problems));

  test("of a single control plane promises nothing", () => {
    expect(status([{}]).nextChange).toEqual([expect.stringContaining("cannot be taken down without an interruption")]);
  });

  test("of two control planes half-way to three says what is still to be done", () => {
    const { verdict, nextChange } = status([{}, {}, { state: "none" }]);
    expect(verdict).toBe("unhealthy");
    expect(nextChange[0]).toBe("`pulumi up` would do this:");
    expect(nextChange.join("\n")).toContain("join cp3");
  });
});

describe("the screen", () => {
  const screen = (...args: Parameters<typeof status>) => statusText(status(...args));

  test("of a cluster in order", () => {
    expect(screen([{}, { behind: 2 }, {}])).toBe(
      `cluster lab: healthy
endpoint kubernetes-api.internal:6443, 10.0.0.100 held by cp1
etcd: voters 3, healthy 3, quorum 2, tolerance 1

CONTROL PLANE  NODE   ROLE      ETCD     LAG  DB (IN USE)     COMPONENTS  CERTIFICATES      KUBELET
cp1 (vip)      Ready  leader    healthy  0    24.0 (8.0) MiB  ready       364 d, apiserver  v1.37.1
cp2            Ready  follower  healthy  2    24.0 (8.0) MiB  ready       364 d, apiserver  v1.37.1
cp3            Ready  follower  healthy  0    24.0 (8.0) MiB  ready       364 d, apiserver  v1.37.1

WORKER  NODE             KUBELET
w1      Ready, cordoned  v1.37.1

next safe change:
  any one control plane may be taken down; be sure that all are healthy again before the next`,
    );
  });

  test("of one with a dead control plane shows what is not known as ?, and the reasons below", () => {
    const text = screen([{}, {}, { dead: true }]);
    expect(text).toContain("cluster lab: unhealthy\n");
    expect(text).toMatch(/^cp3 +NotReady +follower +sick +\? +\? +\? +\? +v1\.37\.1$/m);
    expect(text).toContain("not in order:\n  cp3 cannot be reached over SSH: no answer within 30 s\n");
  });
});
