import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { inNamespace } from "../../lab/api.ts";

/** What a client saw of the API. */
export interface Seen {
  /** Writes that the API acknowledged, in their order. */
  readonly acknowledged: readonly string[];
  /** Of those, the ones that are not there any more. */
  readonly lost: readonly string[];
  /** The longest time between two acknowledged writes of each chapter, in seconds. */
  readonly longestGaps: ReadonlyMap<string, number>;
}

/** A client of the cluster that writes a key a second through its endpoint, and notes what was acknowledged and when. */
export class Writer {
  readonly #kubectl: string;
  readonly #kubeconfig: string;
  readonly #acknowledged: { name: string; at: number; chapter: string }[] = [];
  /** What is going on meanwhile. */
  chapter = "";
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  /**
   * @param directory for its kubeconfig
   * @param kubectl directory of kubectl
   */
  constructor(directory: string, kubectl: string) {
    this.#kubectl = join(kubectl, "kubectl");
    this.#kubeconfig = join(directory, "writer.kubeconfig");
  }

  /** @param kubeconfig text of an admin kubeconfig that leads to the endpoint */
  start(kubeconfig: string): void {
    writeFileSync(this.#kubeconfig, kubeconfig, { mode: 0o600 });
    this.#running = this.#write();
  }

  async #write(): Promise<void> {
    for (let number = 1; !this.#stopped; number++) {
      const name = `written-${number}`;
      const second = pause(1000);
      // A write whose answer was lost may be there or not: only what was acknowledged counts.
      const { exitCode } = await this.#call(["--request-timeout=5s", "create", "configmap", name]);
      if (exitCode === 0) this.#acknowledged.push({ name, at: Date.now(), chapter: this.chapter });
      await second;
    }
  }

  /** Stops writing, and asks what is there. */
  async stop(): Promise<Seen> {
    this.#stopped = true;
    await this.#running;
    const { stdout } = await this.#call(["get", "configmaps", "-o", "name"]);
    const there = new Set(String(stdout).split("\n"));
    const acknowledged = this.#acknowledged.map(({ name }) => name);
    const longestGaps = new Map<string, number>();
    this.#acknowledged.forEach(({ at, chapter }, index, all) => {
      const gap = index === 0 ? 0 : (at - all[index - 1]!.at) / 1000;
      longestGaps.set(chapter, Math.max(gap, longestGaps.get(chapter) ?? 0));
    });
    return {
      acknowledged,
      lost: acknowledged.filter((name) => !there.has(`configmap/${name}`)),
      longestGaps,
    };
  }

  #call(args: readonly string[]) {
    return inNamespace(this.#kubectl, ["--kubeconfig", this.#kubeconfig, ...args], { reject: false, stdin: "ignore" });
  }
}
