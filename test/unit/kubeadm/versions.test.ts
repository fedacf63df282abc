import { describe, expect, it } from "vitest";
import { isPatch, minorOf, resolveVersion } from "../../../kubeadm/versions.ts";

const available = ["1.37.0-1.1", "1.37.10-1.1", "1.37.9-2.1", "1.37.9-1.1", "1.36.5-1.1", "1.38.0~rc.1-1.1"];

describe("the version to install", () => {
  it.each([
    ["1.37", "1.37.10"],
    ["1.36", "1.36.5"],
    ["1.37.9", "1.37.9"],
    ["1.37.0", "1.37.0"],
  ])("for %s is %s", (wanted, version) => expect(resolveVersion(wanted, available)).toEqual({ version }));

  it("knows epochs and revisions of Debian", () =>
    expect(resolveVersion("1.37", ["1:1.37.1-0ubuntu1"])).toEqual({ version: "1.37.1" }));

  it("is never a prerelease", () => expect(resolveVersion("1.38", available).version).toBeUndefined());

  it("says what is there instead, newest first", () => {
    expect(resolveVersion("1.37.2", available).fault).toBe(
      "the package repository has kubeadm 1.37.10, 1.37.9, 1.37.0, 1.36.5, not 1.37.2",
    );
    expect(resolveVersion("1.35", []).fault).toBe("the package repository has no kubeadm at all, not 1.35");
  });
});

describe("parts of a version", () => {
  it.each([
    ["1.37", "1.37", false],
    ["1.37.1", "1.37", true],
    ["1.37.10-1.1", "1.37", true],
    ["v1.37.1", "v1.37", false],
  ])("of %s", (version, minor, patch) => {
    expect(minorOf(version)).toBe(minor);
    expect(isPatch(version)).toBe(patch);
  });
});
