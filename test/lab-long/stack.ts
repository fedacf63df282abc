import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import * as lab from "../../lab/api.ts";
import { clusterConfig } from "../../lab/cluster.ts";
import { openStack, projectDirectory, type LabStack } from "../../lab/pulumi.ts";
import { prepareSite, serveSite, type Site } from "../../lab/site.ts";
import { sudo } from "../lab/machine.ts";

/** A stack of control planes on fresh machines of the lab, and all that goes again with it. */
export class ControlPlanes {
  readonly stack: LabStack;
  /** A directory for what the test writes. */
  readonly home: string;
  readonly #site: Site;
  readonly #endpoint: object | undefined;

  private constructor(stack: LabStack, home: string, site: Site, endpoint: object | undefined) {
    this.stack = stack;
    this.home = home;
    this.#site = site;
    this.#endpoint = endpoint;
  }

  /** @param endpoint the setting; left out: a floating address */
  static async open(name: string, machines: readonly string[], endpoint?: object): Promise<ControlPlanes> {
    const home = mkdtempSync(join(tmpdir(), `pulumi-kubeadm-${name}-`));
    await lab.down();
    const site = await prepareSite({ silent: true });
    await serveSite(site);
    await lab.up([...machines]);
    return new ControlPlanes(await openStack(name, home, site.tools), home, site, endpoint);
  }

  /** `pulumi up` with these control planes and no worker. */
  async up(controlPlanes: readonly string[]): Promise<string> {
    const config = clusterConfig({ controlPlanes: [...controlPlanes], workers: [] }, this.#site.www);
    // A machine that was reinstalled is let in by its new key.
    const machines = (config.controlPlanes as { name: string }[]).map((machine) => ({ ...machine, hostKey: lab.sshTarget(machine.name).hostKey }));
    this.stack.configure({ ...config, controlPlanes: machines, ...(this.#endpoint && { endpoint: this.#endpoint }) });
    const { exitCode, output } = await this.stack.run(["up", "--yes", "--skip-preview", "--non-interactive"]);
    expect(exitCode, output).toBe(0);
    return output;
  }

  async close(): Promise<void> {
    rmSync(join(projectDirectory, `Pulumi.${this.stack.name}.yaml`), { force: true });
    rmSync(join(projectDirectory, "not-given-back"), { recursive: true, force: true });
    rmSync(this.home, { recursive: true, force: true });
    await lab.down();
  }
}

export const kubectl = (machine: string, command: string) => sudo(machine, `kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=20s ${command}`);
