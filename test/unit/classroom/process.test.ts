import { execa } from "execa";
import { describe, expect, test, vi } from "vitest";
import { isRunning } from "../../../classroom/process.ts";

describe("a process of this computer", () => {
  test("runs, by its program's name", () => {
    expect(isRunning(process.pid)).toBe(true);
    expect(isRunning(process.pid, "pulumi")).toBe(false);
  });

  test("that was killed does not run, though its parent has not collected it", async () => {
    // The shell becomes a program that never asks after the child it has.
    const parent = execa("sh", ["-c", "sleep 600 & echo $!; exec sleep 601"], { reject: false });
    const child = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    try {
      await vi.waitUntil(() => isRunning(child, "sleep"));
      process.kill(child, "SIGKILL");
      await vi.waitUntil(() => !isRunning(child));
      // Its number is still taken.
      expect(() => process.kill(child, 0)).not.toThrow();
    } finally {
      parent.kill("SIGKILL");
      await parent;
    }
  });
});
