import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLibrary } from "../../../machine/render.ts";

/** What a piece of shell did. */
export interface ShellResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory that stands for a machine's disk, and the library with its state there. */
export class Sandbox implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "pulumi-kubeadm-lib-"));

  /** Runs a piece of shell after the library; `$d` is the directory. */
  run(script: string): ShellResult {
    const input = `${readLibrary()}\nd=${this.directory} state_dir=$d/state ledger_dir=$d/state/ledger\n${script}\n`;
    try {
      return { status: 0, stdout: execFileSync("bash", { input, encoding: "utf8", stdio: "pipe" }), stderr: "" };
    } catch (error) {
      const { status, stdout, stderr } = error as ShellResult;
      return { status, stdout, stderr };
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
