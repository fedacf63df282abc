import type { MachineFacts } from "../../machine/preflight/facts.ts";
import { healthy } from "../unit/preflight/observation.ts";
import { JobUnit, type RunningJob } from "./job-unit.ts";
import { Journal } from "./journal.ts";
import type { KeyPair } from "../keys.ts";
import { makeKey, RootShell, type Answerer, type Terminal } from "./root-shell.ts";
import { nameOf, readScript, type Script } from "./script.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";

/** A job that a test stops in its middle. */
export interface Held {
  /** Settled when the job has begun. */
  readonly begun: Promise<RunningJob>;
  /** Lets the job go on. */
  release(): void;
}

/** The machines of one test, who may log in to them, and what was done to them. */
export class Site {
  readonly key: KeyPair;
  /** What sudo asks for on every machine; undefined: nothing. */
  readonly password: string | undefined;
  readonly journal = new Journal();
  readonly machines: ScriptedMachine[] = [];

  constructor({ passphrase, password }: { passphrase?: string; password?: string } = {}) {
    this.key = makeKey(passphrase);
    this.password = password;
  }

  /** Adds a machine that answers. The last number of its address inside the cluster tells its hardware from others'. */
  async machine(name: string, clusterAddress: string): Promise<ScriptedMachine> {
    const machine = new ScriptedMachine(this, name, clusterAddress);
    this.machines.push(machine);
    await machine.shell.start();
    return machine;
  }

  async close(): Promise<void> {
    await Promise.all(this.machines.map(({ shell }) => shell.stop()));
  }
}

/**
 * A machine that answers as one would on which the product's scripts run, and runs none: it knows what a script asks for by its
 * parameters and its name, remembers what came of it, and does what the test has told it to do otherwise.
 */
export class ScriptedMachine implements Answerer {
  readonly name: string;
  readonly clusterAddress: string;
  readonly shell: RootShell = new RootShell(this);
  authorizedKey: string;
  /** Facts of preflight that differ from a healthy machine's. */
  facts: Partial<MachineFacts> = {};
  /** What inspecting a stage finds, until it is applied. */
  readonly drift = new Map<string, string[]>();
  /** Stages that are applied. */
  readonly stages = new Set<string>();
  /** `project/stack/cluster`; empty on a machine that belongs to nobody. */
  owner = "";
  /** The cluster whose control plane runs here. */
  cluster: ScriptedCluster | undefined;
  /** The cluster that the machine has joined. */
  joined: ScriptedCluster | undefined;
  readonly #site: Site;
  readonly #unit = new JobUnit((job) => this.#work(job));
  readonly #failures = new Map<string, readonly string[]>();
  readonly #held = new Map<string, { begin(job: RunningJob): void; released: Promise<void> }>();

  constructor(site: Site, name: string, clusterAddress: string) {
    this.#site = site;
    this.name = name;
    this.clusterAddress = clusterAddress;
    this.authorizedKey = site.key.public;
  }

  get password(): string | undefined {
    return this.#site.password;
  }

  /** The machine as it stands in a stack's configuration. */
  get settings() {
    return { name: this.name, host: "127.0.0.1", port: this.shell.port, clusterAddress: this.clusterAddress };
  }

  /** True when nothing of the product is left. */
  get isBare(): boolean {
    return this.owner === "" && this.stages.size === 0 && this.cluster === undefined && this.joined === undefined;
  }

  /** The next such job prints these lines and fails. */
  failNext(job: string, lines: readonly string[]): void {
    this.#failures.set(job, lines);
  }

  /** The next such job waits in its middle. */
  hold(job: string): Held {
    const begun = Promise.withResolvers<RunningJob>();
    const released = Promise.withResolvers<void>();
    this.#held.set(job, { begin: begun.resolve, released: released.promise });
    return { begun: begun.promise, release: released.resolve };
  }

  async answer(text: string, terminal: Terminal): Promise<number> {
    const script = readScript(text);
    if (script.variables.JOB_ACTION !== undefined) {
      await this.#unit.answer(script.variables, terminal);
      return 0;
    }
    try {
      terminal.print(this.#reply(script));
      return 0;
    } catch (error) {
      terminal.complain((error as Error).message);
      return 1;
    }
  }

  /** What is printed by a script that is no job. */
  #reply({ verb, variables, body }: Script): string {
    if (body.trim() === "cat /etc/kubernetes/admin.conf") return this.#controlPlane().adminConf;
    const name = nameOf(body);
    switch (`${name} ${verb}`) {
      case "preflight inspect":
        return JSON.stringify(this.#preflight(variables));
      case "control-plane inspect":
        return inspection(name, this.cluster ? [] : [`${this.name} runs no control plane`], {
          state: this.cluster ? "initialised" : "none",
          ready: this.cluster !== undefined,
          caCert: Buffer.from(this.cluster?.caCert ?? "").toString("base64"),
        });
      case "flannel inspect":
        this.#controlPlane();
        return inspection(name, this.drift.get(name) ?? []);
      case "node inspect":
        return inspection(name, this.#controlPlane().nodes.has(variables.NODE_NAME!) ? [] : [`the cluster has no node ${variables.NODE_NAME}`]);
      case "node apply":
        this.#did(`node ${variables.NODE_NAME} apply`);
        if (!this.#controlPlane().nodes.has(variables.NODE_NAME!)) throw new Error(`nodes "${variables.NODE_NAME}" not found`);
        return "";
      case "node remove":
        this.#did(`node ${variables.NODE_NAME} remove`);
        this.#controlPlane().nodes.delete(variables.NODE_NAME!);
        return "";
      case "join-token apply":
        return JSON.stringify({ token: this.#controlPlane().createToken(), caCert: this.#controlPlane().caCert });
      case "join-token remove":
        this.#controlPlane().deleteToken(variables.TOKEN_ID!);
        return "";
      default:
        if (verb !== "inspect") throw new Error(`${name} ${verb} is to be a job`);
        return inspection(name, this.drift.get(name) ?? (this.stages.has(name) ? [] : [`${name} is not applied`]));
    }
  }

  #preflight({ OWNER, APT_FILES, WEB_ADDRESSES }: Script["variables"]): MachineFacts {
    const now = Date.now() / 1000;
    const joined = this.cluster !== undefined || this.joined !== undefined;
    // As scripts/preflight.sh: a node of this cluster has its packages and images.
    const asksNetwork = this.owner !== OWNER || !joined;
    const lines = (text: string | undefined) => (asksNetwork ? text!.split("\n") : []);
    return {
      ...healthy(this.clusterAddress),
      owner: this.owner,
      joined,
      jobRunning: this.#unit.active,
      repositories: lines(APT_FILES).map((line) => ({ name: line.split(" ")[0]!, url: line.split(" ")[1]!, error: "" })),
      kubeadmVersions: asksNetwork ? ["1.36.4-1.1", "1.37.0-1.1", "1.37.1-1.1"] : null,
      web: lines(WEB_ADDRESSES).map((url) => ({ url, status: 200, error: "" })),
      clock: { start: now, end: now },
      ...this.facts,
    };
  }

  /** Does what a job would do, with its output. */
  async #work(job: RunningJob): Promise<number> {
    const what = `${job.stage} ${job.verb}`;
    const { ended } = this.#site.journal.begin(this.name, what);
    try {
      job.say(`==> ${what}`);
      const held = this.#held.get(what);
      this.#held.delete(what);
      held?.begin(job);
      await held?.released;
      const failure = this.#failures.get(what);
      this.#failures.delete(what);
      failure?.forEach((line) => job.say(line));
      return failure || !this.#change(job) ? 1 : 0;
    } finally {
      ended();
    }
  }

  /** What a job changes; false when it cannot. */
  #change({ stage, verb, variables, say }: RunningJob): boolean {
    switch (`${stage} ${verb}`) {
      case "claim apply":
        this.owner = variables.OWNER!;
        break;
      case "control-plane apply":
        this.cluster ??= new ScriptedCluster();
        this.cluster.nodes.add(variables.NODE_NAME!);
        return true;
      case "flannel apply":
        this.drift.delete(stage);
        return this.cluster !== undefined;
      case "worker apply": {
        this.joined = this.#site.machines.flatMap(({ cluster }) => cluster ?? []).find(({ tokens }) => tokens.has(variables.JOIN_TOKEN!));
        if (!this.joined) say(`!!! no cluster knows the token`);
        this.joined?.nodes.add(variables.NODE_NAME!);
        return this.joined !== undefined;
      }
      case "reset remove":
      case "kubernetes-packages remove":
      case "claim remove":
        this.cluster = this.joined = undefined;
        if (stage === "claim") {
          this.owner = "";
          this.stages.clear();
        }
    }
    if (verb === "apply") {
      this.stages.add(stage);
      this.drift.delete(stage);
    } else this.stages.delete(stage);
    return true;
  }

  #controlPlane(): ScriptedCluster {
    if (!this.cluster) throw new Error("error: /etc/kubernetes/admin.conf: no such file or directory");
    return this.cluster;
  }

  #did(what: string): void {
    this.#site.journal.begin(this.name, what).ended();
  }
}

function inspection(stage: string, drift: readonly string[], facts: object = {}): string {
  return JSON.stringify({ stage, drift, facts });
}
