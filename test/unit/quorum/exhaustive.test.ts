import { describe, expect, it } from "vitest";
import { nextStep } from "../../../quorum/next-step.ts";
import { hasQuorum, mayBecome, withOneMore, without } from "../../../quorum/ring.ts";
import { ca, look, world, type Trait } from "./world.ts";

/**
 * etcd's own definition, without the product's arithmetic: a set of voters can write when it meets every set that also could, which
 * is when no rest of the voters is as large as it.
 */
const canWrite = (alive: number, voters: number): boolean => voters > 0 && alive > voters - alive;

const sizes = [1, 2, 3, 4, 5, 6, 7];
const subsets = (of: number): number[][] => Array.from({ length: 2 ** of }, (_, bits) => Array.from({ length: of }, (_, index) => index).filter((index) => bits & (1 << index)));

describe("the rule for one change", () => {
  it("asks for a quorum now and after, for every size and every number of sick voters", () => {
    for (const voters of sizes) {
      for (let sick = 0; sick <= voters; sick++) {
        const healthy = voters - sick;
        const ring = { voters, healthy };
        expect(hasQuorum(ring)).toBe(canWrite(healthy, voters));
        if (healthy > 0) expect(mayBecome(ring, without(ring, false))).toBe(canWrite(healthy, voters) && canWrite(healthy - 1, voters - 1));
        if (sick > 0) expect(mayBecome(ring, without(ring, true))).toBe(canWrite(healthy, voters) && canWrite(healthy, voters - 1));
        const joined = voters === 1 ? healthy + 1 : healthy;
        expect(mayBecome(ring, withOneMore(ring))).toBe(canWrite(healthy, voters) && canWrite(joined, voters + 1));
      }
    }
  });

  /** quorum.md 3.3, computed there from Cluster API's formula; `now` holds too in each row. */
  it.each([
    ["remove", 2, 0],
    ["remove", 3, 0],
    ["remove", 4, 1],
    ["remove", 5, 1],
    ["remove", 6, 2],
    ["remove", 7, 2],
    ["add", 1, 0],
    ["add", 2, 0],
    ["add", 3, 0],
    ["add", 4, 1],
    ["add", 5, 1],
    ["add", 6, 2],
  ])("%s at %i voters bears %i sick survivors and no more", (operation, voters, most) => {
    for (let sick = 0; sick < voters; sick++) {
      const ring = { voters, healthy: voters - sick };
      expect(mayBecome(ring, operation === "add" ? withOneMore(ring) : without(ring, false))).toBe(sick <= most);
    }
  });

  it("a new member counts as healthy beside a single voter only", () => {
    expect(withOneMore({ voters: 1, healthy: 1 })).toEqual({ voters: 2, healthy: 2 });
    expect(withOneMore({ voters: 2, healthy: 2 })).toEqual({ voters: 3, healthy: 2 });
  });

  it("neither condition implies the other where the number is even", () => {
    expect(mayBecome({ voters: 2, healthy: 1 }, without({ voters: 2, healthy: 1 }, true))).toBe(false);
    expect(mayBecome({ voters: 4, healthy: 2 }, without({ voters: 4, healthy: 2 }, true))).toBe(false);
  });
});

/** Every ring of 1 to 7, every subset of it dead, with or without a stale learner. */
const rings = sizes.flatMap((voters) => subsets(voters).flatMap((dead) => [false, true].map((learner) => ({ voters, dead, learner }))));

const name = (index: number) => `cp${index + 1}`;
const membersOf = ({ voters, dead, learner }: (typeof rings)[number], leaver?: number): Record<string, readonly Trait[]> => ({
  ...Object.fromEntries(
    Array.from({ length: voters }, (_, index) => [name(index), [...(dead.includes(index) ? (["dead"] as const) : []), ...(index === leaver ? (["left"] as const) : [])]]),
  ),
  ...(learner ? { cp9: ["learner", "left"] as const } : {}),
});

describe("the next step at every size, with every subset of dead voters, with and without a learner", () => {
  it("adds a machine only to a ring in which all are healthy and no learner is", () => {
    for (const ring of rings) {
      const step = nextStep(look(world(membersOf(ring), { cp20: [] })), ca);
      const { voters, dead, learner } = ring;
      const at = JSON.stringify(ring);
      if (!canWrite(voters - dead.length, voters)) expect(step.kind, at).toBe("refuse");
      else if (learner) expect(step, at).toMatchObject({ kind: "remove", memberId: "c9", learner: true });
      else if (dead.length > 0) expect(step.kind, at).toBe("refuse");
      else expect(step, at).toMatchObject({ kind: "join", machine: "cp20", running: false });
    }
  });

  it("removes a voter exactly when a majority can commit it and a majority is left, and no one who stays is sick while a healthy one goes", () => {
    for (const ring of rings) {
      for (let leaver = 0; leaver < ring.voters; leaver++) {
        const step = nextStep(look(world(membersOf(ring, leaver))), ca);
        const { voters, dead, learner } = ring;
        const at = `${JSON.stringify(ring)} without ${name(leaver)}`;
        const alive = voters - dead.length;
        const leaverDead = dead.includes(leaver);
        const remains = alive - (leaverDead ? 0 : 1);
        const goes = canWrite(alive, voters) && canWrite(remains, voters - 1) && (leaverDead || dead.length === 0);
        if (canWrite(alive, voters) && learner) expect(step, at).toMatchObject({ kind: "remove", learner: true });
        else if (goes) expect(step, at).toMatchObject({ kind: "remove", member: name(leaver), reachable: !leaverDead });
        else expect(step.kind, at).toBe("refuse");
      }
    }
  });

  it("never removes a voter that the settings name", () => {
    for (const ring of rings) {
      const step = nextStep(look(world(membersOf(ring))), ca);
      expect(step.kind === "remove" && !step.learner).toBe(false);
    }
  });
});
