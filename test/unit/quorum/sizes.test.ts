import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quorum, restingSizes, sizeFault, tolerance } from "../../../quorum/sizes.ts";

describe("the arithmetic of a majority", () => {
  it.each([
    [1, 1, 0],
    [2, 2, 0],
    [3, 2, 1],
    [4, 3, 1],
    [5, 3, 2],
    [6, 4, 2],
    [7, 4, 3],
  ])("%i voters need %i alive and bear the loss of %i", (voters, needed, lost) => {
    expect(quorum(voters)).toBe(needed);
    expect(tolerance(voters)).toBe(lost);
  });

  it("never lets two halves of a split control plane both write", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), (voters) => {
        expect(2 * quorum(voters)).toBeGreaterThan(voters);
        expect(2 * (quorum(voters) - 1)).toBeLessThanOrEqual(voters);
      }),
    );
  });

  it("gains nothing from an even number", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 49 }), (half) => {
        expect(tolerance(2 * half)).toBe(tolerance(2 * half - 1));
      }),
    );
  });
});

describe("sizes of a control plane", () => {
  it("rests at odd sizes up to five", () => expect(restingSizes).toEqual([1, 3, 5]));

  it.each(restingSizes)("takes %i machines", (machines) => expect(sizeFault(machines)).toBeUndefined());

  it.each([
    [0, "a cluster needs a control plane: name one machine"],
    [
      2,
      "2 control planes need 2 alive to write and bear the loss of 0, no more than 1, which needs 1 and bears the loss of 0, and losing either of the two stops the cluster: allowed are 1, 3 and 5",
    ],
    [
      4,
      "4 control planes need 3 alive to write and bear the loss of 1, no more than 3, which needs 2 and bears the loss of 1: allowed are 1, 3 and 5",
    ],
    [6, "6 control planes are more than etcd is good at: each write waits for 4 of them; allowed are 1, 3 and 5"],
    [7, "7 control planes are more than etcd is good at: each write waits for 4 of them; allowed are 1, 3 and 5"],
  ])("refuses %i and says why", (machines, sentence) => expect(sizeFault(machines)).toBe(sentence));
});
