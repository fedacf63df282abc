import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Member } from "../../../controlplane/member.ts";
import { MembershipLease } from "../../../controlplane/membership-lease.ts";

// The Lease in the cluster, which scripts/membership-lease.sh writes: that runs against a real cluster in the lab.
const cluster = vi.hoisted(() => ({
  holder: "",
  version: 0,
  since: "",
  acquired: 0,
  isAway: false,
  ask(holder: string, over: string) {
    if (this.isAway) throw new Error("no control plane answers");
    if (["", holder].includes(this.holder) || over === String(this.version)) {
      if (this.holder !== holder) this.since = `acquired ${++this.acquired}`;
      this.holder = holder;
      this.version++;
    }
    return { holder: this.holder, since: this.since, version: String(this.version) };
  },
}));

vi.mock("../../../controlplane/on-control-plane.ts", () => ({
  onControlPlane: async (_members: unknown, _file: string, verb: string, _reporter: unknown, { HOLDER, OVER }: { HOLDER: string; OVER: string }) => {
    if (verb === "apply") return cluster.ask(HOLDER, OVER);
    if (cluster.isAway) throw new Error("no control plane answers");
    if (cluster.holder === HOLDER) cluster.holder = "";
  },
}));

// Fake timers leave these as they are.
vi.mock("node:timers/promises", () => ({
  setTimeout: (milliseconds: number, _value?: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise<void>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
      setTimeout(resolve, milliseconds);
    }),
}));

const controlPlanes = [{ name: "cp1" }] as Member[];
const other = "ops@elsewhere (process 7, stack lab)";

let heard: boolean;
let warnings: string[];
const reporter = { progress: () => {}, info: () => {}, warn: (text: string) => void warnings.push(text), heard: () => heard };
const lease = () => new MembershipLease("root@here (process 1, stack lab)", reporter);

beforeEach(() => {
  vi.useFakeTimers();
  heard = true;
  warnings = [];
  Object.assign(cluster, { holder: "", version: 0, since: "", isAway: false });
});

afterEach(() => vi.useRealTimers());

/** The outcome of a promise for which the clock must run. */
async function settled<T>(promise: Promise<T>, seconds: number): Promise<PromiseSettledResult<T> | undefined> {
  let result: PromiseSettledResult<T> | undefined;
  void Promise.allSettled([promise]).then(([one]) => (result = one));
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  return result;
}

describe("the Lease of membership changes", () => {
  it("is taken, renewed as long as the work takes, and given back", async () => {
    const ours = lease();
    expect(await ours.hold(controlPlanes)).toBe(true);
    expect(await ours.hold(controlPlanes)).toBe(false);
    const { version } = cluster;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cluster.version).toBeGreaterThanOrEqual(version + 4);
    expect(await ours.hold(controlPlanes)).toBe(false);
    await ours.release();
    expect(cluster.holder).toBe("");
    expect(warnings).toEqual([]);
  });

  it("is refused while another run renews it, which is named", async () => {
    cluster.ask(other, "");
    const renewing = setInterval(() => cluster.ask(other, ""), 10_000);
    const result = await settled(lease().hold(controlPlanes), 30);
    clearInterval(renewing);
    expect(result).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining(`${other} changes the members of this control plane, since acquired`) } });
  });

  it("of a run that died is taken a minute after its last sign of life, and not before", async () => {
    cluster.ask(other, "");
    setTimeout(() => cluster.ask(other, ""), 5_000);
    const ours = lease();
    const taking = ours.hold(controlPlanes);
    expect(await settled(taking, 60)).toBeUndefined();
    expect(cluster.holder).toBe(other);
    expect(await settled(taking, 15)).toEqual({ status: "fulfilled", value: true });
    await ours.release();
  });

  it("that another run has taken ends the work before its next change", async () => {
    const ours = lease();
    await ours.hold(controlPlanes);
    cluster.isAway = true;
    await vi.advanceTimersByTimeAsync(70_000);
    cluster.isAway = false;
    cluster.ask(other, String(cluster.version));
    await expect(ours.hold(controlPlanes)).rejects.toThrow(other);
    await ours.release();
    expect(cluster.holder).toBe(other);
  });

  it("that somebody had in between has the control plane looked at again", async () => {
    const ours = lease();
    await ours.hold(controlPlanes);
    cluster.isAway = true;
    await vi.advanceTimersByTimeAsync(70_000);
    cluster.isAway = false;
    cluster.ask(other, String(cluster.version));
    cluster.holder = "";
    expect(await ours.hold(controlPlanes)).toBe(true);
    await ours.release();
  });

  it("is given back at once by a run to which nobody listens any more", async () => {
    const ours = lease();
    await ours.hold(controlPlanes);
    heard = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(cluster.holder).toBe("");
    await ours.release();
  });

  it("that cannot be given back is told, and fails nothing", async () => {
    const ours = lease();
    await ours.hold(controlPlanes);
    cluster.isAway = true;
    await ours.release();
    expect(warnings).toEqual([expect.stringContaining("ends by itself in 60 s")]);
  });

  it("that was never asked for is not given back", async () => {
    cluster.isAway = true;
    await lease().release();
    expect(warnings).toEqual([]);
  });
});
