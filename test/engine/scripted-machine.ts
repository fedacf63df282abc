import { parse, parseAllDocuments, stringify } from "yaml";
import type { MachineFacts } from "../../machine/preflight/facts.ts";
import { bare, fingerprintOf } from "../unit/machine/fingerprints.ts";
import { healthy } from "../unit/preflight/observation.ts";
import { JobUnit, type RunningJob } from "./job-unit.ts";
import { Journal } from "./journal.ts";
import type { KeyPair } from "../keys.ts";
import { makeKey, RootShell, type Answerer, type Terminal } from "./root-shell.ts";
import { nameOf, readScript, type Script } from "./script.ts";
import type { ScriptedCluster } from "./scripted-cluster.ts";
import { ScriptedControlPlane } from "./scripted-control-plane.ts";

/** The user as whom the product comes. */
const operator = "ops";

/** A job fails for a cause that may have passed a moment later. */
class PassingFailure extends Error {}

/** A job, or a part of one, that a test stops in its middle. */
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

  /**
   * Adds a machine that answers. The last number of its address inside the cluster tells its hardware from others'.
   *
   * @param label what the journal calls it: two machines may have one name, one after the other
   * @param port where it answers; that of a machine that is off, or any
   */
  async machine(name: string, clusterAddress: string, label = name, port = 0): Promise<ScriptedMachine> {
    const machine = new ScriptedMachine(this, name, clusterAddress, label);
    this.machines.push(machine);
    await machine.shell.start(port);
    return machine;
  }

  /** Clusters that answer on one of the machines. */
  get clusters(): ScriptedCluster[] {
    return this.machines.flatMap(({ cluster }) => cluster ?? []);
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
  /** What the journal calls it. */
  readonly label: string;
  /** Stopped, the machine is off. */
  readonly shell: RootShell = new RootShell(this);
  /** Runs on while SSH does not get through. */
  runsWithoutSsh = false;
  /** In the operator's own ~/.ssh. */
  authorizedKey: string;
  /** In files of root's, by user. */
  readonly logins = new Map<string, string[]>();
  /** ~/.kube/config, by user. */
  readonly kubeconfigs = new Map<string, string>();
  /** Of /var. */
  disk = { availableBytes: 15e9, sizeBytes: 20e9 };
  /** Facts of preflight that differ from a healthy machine's. */
  facts: Partial<MachineFacts> = {};
  /** The machine is as good as off from a moment on, until so many questions were lost with their connections. */
  silence = { hasBegun: () => false, questions: 0 };
  /** What its answers wait for: a machine that is slow. Jobs do not. */
  answersAfter: Promise<void> = Promise.resolve();
  /** Lines of its fingerprint besides those of a small bare machine. */
  things: readonly string[] = [];
  /** What inspecting a stage finds, until it is applied. */
  readonly drift = new Map<string, string[]>();
  /** Stages that are applied. */
  readonly stages = new Set<string>();
  /** `project/stack/cluster`; empty on a machine that belongs to nobody. */
  owner = "";
  readonly #controlPlane = new ScriptedControlPlane(() => (this.shell.running || this.runsWithoutSsh) && !this.#isSilent);
  /** The cluster that the machine has joined as a worker. */
  joined: ScriptedCluster | undefined;
  /** What a student has made on it with kubeadm by hand; a reset takes it away. */
  byHand: MachineFacts["byHand"] = null;
  /** False: somebody has removed the keys of the CA. */
  keysAreThere = true;
  /** The mark of a reset that has not made the machine a node again. */
  #resetting = false;
  readonly #site: Site;
  readonly #unit = new JobUnit((job) => this.#work(job));
  readonly #failures = new Map<string, Error>();
  readonly #held = new Map<string, { begin(job: RunningJob): void; released: Promise<void> }>();
  readonly #releases: (() => void)[] = [];

  constructor(site: Site, name: string, clusterAddress: string, label: string) {
    this.#site = site;
    this.name = name;
    this.clusterAddress = clusterAddress;
    this.label = label;
    this.authorizedKey = site.key.public;
  }

  authorizedKeys(user: string): readonly string[] {
    return [...(user === operator ? [this.authorizedKey] : []), ...(this.logins.get(user) ?? [])];
  }

  get password(): string | undefined {
    return this.#site.password;
  }

  /** The machine as it stands in a stack's configuration. */
  get settings() {
    return { name: this.name, host: "127.0.0.1", port: this.shell.port, clusterAddress: this.clusterAddress };
  }

  /** The cluster whose control plane runs here. */
  get cluster(): ScriptedCluster | undefined {
    return this.#controlPlane.cluster;
  }

  /** True when nothing of the product is left. */
  get isBare(): boolean {
    return this.owner === "" && this.stages.size === 0 && this.#controlPlane.state === "none" && this.joined === undefined && this.byHand === null && this.logins.size === 0;
  }

  /** Makes a cluster on it, as an `up` would that has ended well. @param owner `project/stack/cluster` */
  async makeCluster(owner: string): Promise<ScriptedCluster> {
    this.owner = owner;
    for (const stage of ["claim", "kernel", "container-runtime", "kubernetes-packages", "names"]) this.stages.add(stage);
    const configuration = { nodeRegistration: { name: this.name }, localAPIEndpoint: { advertiseAddress: this.clusterAddress } };
    await this.#controlPlane.apply({ EXPECTED: "none", KUBEADM_COMMAND: "init", KUBEADM_CONFIG: stringify(configuration) }, [], async () => {});
    return this.cluster!;
  }

  /** The next such job prints these lines and fails before it changes anything; `promotion` is the second half of a control plane's join. */
  failNext(job: string, lines: readonly string[]): void {
    this.#failures.set(job, new Error(lines.join("\n")));
  }

  /** The same for a cause that may have passed a moment later. */
  failForNow(job: string, lines: readonly string[]): void {
    this.#failures.set(job, new PassingFailure(lines.join("\n")));
  }

  /** The next such job waits before it changes anything; `promotion` as above. */
  hold(job: string): Held {
    const begun = Promise.withResolvers<RunningJob>();
    const released = Promise.withResolvers<void>();
    this.#held.set(job, { begin: begun.resolve, released: released.promise });
    this.#releases.push(released.resolve);
    return { begun: begun.promise, release: released.resolve };
  }

  /** Lets every held job go on, and holds none that has not begun. */
  releaseAll(): void {
    this.#releases.splice(0).forEach((release) => release());
    this.#held.clear();
  }

  get #isSilent(): boolean {
    return this.silence.questions > 0 && this.silence.hasBegun();
  }

  async answer(text: string, terminal: Terminal): Promise<number> {
    if (this.#isSilent) {
      this.silence.questions -= 1;
      this.shell.hangUp();
      return 1;
    }
    const script = readScript(text);
    if (script.variables.JOB_ACTION !== undefined) {
      await this.#unit.answer(script.variables, terminal);
      return 0;
    }
    if (script.elsewhere !== undefined && !this.cluster) {
      terminal.complain(script.elsewhere);
      return 1;
    }
    await this.answersAfter;
    try {
      terminal.print(await this.#reply(script));
      return 0;
    } catch (error) {
      terminal.complain((error as Error).message);
      return 1;
    }
  }

  /** What is printed by a script that is no job. */
  async #reply({ verb, variables, body }: Script): Promise<string> {
    if (body.trim() === "cat /etc/kubernetes/admin.conf") return this.#adminConf();
    const name = nameOf(body);
    const node = variables.NODE_NAME!;
    switch (`${name} ${verb}`) {
      case "preflight inspect":
        return JSON.stringify(this.#preflight(variables));
      case "glance inspect":
        return JSON.stringify(this.#glance());
      case "fingerprint inspect":
        return JSON.stringify({ gzip: this.#fingerprint() });
      case "control-plane inspect":
        return this.#inspectControlPlane(name);
      case "flannel inspect":
        this.#api();
        return inspection(name, this.drift.get(name) ?? []);
      case "reset inspect":
        return inspection(name, [], { owner: this.owner, byHand: this.byHand, caCert: Buffer.from((this.keysAreThere && this.#controlPlane.caCert) || "").toString("base64") });
      case "reset apply":
        this.#did("reset mark");
        this.#resetting = true;
        return "";
      case "node inspect":
        return inspection(name, this.#api().nodes.has(node) ? [] : [`the cluster has no node ${node}`]);
      case "node apply":
        this.#did(`node ${node} apply`);
        if (!this.#api().nodes.has(node)) throw new Error(`nodes "${node}" not found`);
        return "";
      case "node remove":
        this.#did(`node ${node} remove`);
        this.#api().nodes.delete(node);
        return "";
      case "drain apply":
        this.#did(`drain ${node}`);
        this.#api();
        return "";
      case "drain remove":
        this.#did(`uncordon ${node}`);
        this.#api();
        return "";
      case "leave apply":
        this.#did("leave");
        return "";
      case "join-token apply":
        return JSON.stringify({ token: this.#createToken(variables), caCert: this.#api().caCert });
      case "join-token remove":
        this.#api().deleteToken(variables.TOKEN_ID!);
        this.#api().certificateKey = undefined;
        return "";
      case "membership-lease apply":
        return JSON.stringify(this.#api().lease.ask(variables.HOLDER!, variables.OVER!));
      case "membership-lease remove":
        this.#api().lease.release(variables.HOLDER!);
        return "";
      case "client-access apply":
        return JSON.stringify(await this.#giveAccess(variables));
      case "login-kubeconfig apply":
        if (!this.logins.has(variables.LOGIN!)) throw new Error(`!!! there is no user ${variables.LOGIN}`);
        this.#did(`kubeconfig of ${variables.LOGIN}`);
        if (!this.kubeconfigs.get(variables.LOGIN!)?.includes(variables.CERTIFICATE!)) this.kubeconfigs.set(variables.LOGIN!, variables.KUBECONFIG_KEY!);
        return "";
      default:
        if (verb !== "inspect") throw new Error(`${name} ${verb} is to be a job`);
        return inspection(name, this.drift.get(name) ?? (this.stages.has(name) ? [] : [`${name} is not applied`]));
    }
  }

  #glance(): object {
    const { cluster, owner, disk, byHand } = this;
    const job = this.#unit.running;
    return {
      owner,
      stages: [...this.stages],
      joined: byHand === null && (this.#controlPlane.state !== "none" || this.joined !== undefined),
      byHand,
      job: job ? { stage: job.stage, verb: job.verb, since: "2026-01-01T00:00:00Z", doing: "" } : null,
      disk,
      certificates: cluster ? [{ name: "apiserver", text: cluster.apiserverCert ?? cluster.caCert }] : [],
      cluster: !cluster ? null : this.#controlPlane.isReady ? { nodes: cluster.nodeLines, pods: cluster.unwellPods.join("\n") } : { error: "The connection to the server was refused" },
    };
  }

  /** What is applied can be seen: a fingerprint that is taken too late is not that of a bare machine. */
  #fingerprint(): string {
    return fingerprintOf([...bare, ...this.things, ...[...this.stages].map((stage) => `file /etc/kubernetes/${stage} f 644 root:root 1122334455667788`)]);
  }

  #inspectControlPlane(name: string): string {
    const drift = this.cluster ? [] : [`${this.name} runs no control plane`];
    if (this.cluster && !this.#controlPlane.isReady) drift.push(`the apiserver on ${this.name} is not ready`);
    return inspection(name, drift, this.#controlPlane.facts(this.#unit.running?.stage === "control-plane"));
  }

  /** A worker's token changes nothing for long; with the certificates of a control plane it is written down. */
  #createToken({ JOINER, UPLOAD_CONFIG }: Script["variables"]): string {
    if (UPLOAD_CONFIG) {
      this.#did(`join-token ${JOINER}`);
      this.#api().uploadCertificates(parseAllDocuments(UPLOAD_CONFIG)[0]!.toJS().certificateKey);
    }
    return this.#api().createToken();
  }

  /** As kubectl and the controller manager would. */
  async #giveAccess({ OBJECTS, REQUEST, REQUEST_NAME }: Script["variables"]): Promise<object> {
    const cluster = this.#api();
    cluster.accessObjects = OBJECTS!;
    if (!REQUEST) return { caCert: cluster.caCert, certificate: "" };
    const { metadata, spec } = parse(REQUEST) as { metadata: { name: string }; spec: { request: string; expirationSeconds: number } };
    if (metadata.name !== REQUEST_NAME) throw new Error(`certificatesigningrequests "${REQUEST_NAME}" not found`);
    this.#did(`certificate ${REQUEST_NAME}`);
    const certificate = await cluster.sign(Buffer.from(spec.request, "base64").toString(), spec.expirationSeconds);
    return { caCert: cluster.caCert, certificate: Buffer.from(certificate).toString("base64") };
  }

  #preflight({ OWNER, APT_FILES, WEB_ADDRESSES }: Script["variables"]): MachineFacts {
    const now = Date.now() / 1000;
    const joined = this.#controlPlane.state !== "none" || this.joined !== undefined;
    // As scripts/preflight.sh: a node of this cluster has its packages and images.
    const asksNetwork = this.owner !== OWNER || !joined;
    const lines = (text: string | undefined) => (asksNetwork ? text!.split("\n") : []);
    return {
      ...healthy(this.clusterAddress),
      owner: this.owner,
      joined,
      byHand: this.owner === OWNER ? this.byHand : null,
      resetting: this.#resetting,
      jobRunning: this.#unit.running !== undefined,
      repositories: lines(APT_FILES).map((line) => ({ name: line.split(" ")[0]!, url: line.split(" ")[1]!, error: "" })),
      kubeadmVersions: asksNetwork ? ["1.36.4-1.1", "1.37.0-1.1", "1.37.1-1.1"] : null,
      web: lines(WEB_ADDRESSES).map((url) => ({ url, status: 200, error: "" })),
      clock: { start: now, end: now },
      ...this.facts,
    };
  }

  /** Does what a job would do, with its output. */
  async #work(job: RunningJob): Promise<number> {
    const { stage, verb, variables } = job;
    const what = stage === "etcd-member" ? `${stage} ${variables.MEMBER_NAME} ${verb}` : `${stage} ${verb}`;
    const { ended } = this.#site.journal.begin(this.label, what);
    try {
      job.say(`==> ${what}`);
      await this.#pass(what, job);
      await this.#change(job);
      return 0;
    } catch (error) {
      (error as Error).message.split("\n").forEach((line) => job.say(line));
      return error instanceof PassingFailure ? 75 : 1;
    } finally {
      ended();
    }
  }

  /**
   * Waits or fails as the test has said.
   *
   * @throws Error with the lines to print
   */
  async #pass(what: string, job: RunningJob): Promise<void> {
    const held = this.#held.get(what);
    this.#held.delete(what);
    held?.begin(job);
    await held?.released;
    const failure = this.#failures.get(what);
    this.#failures.delete(what);
    if (failure) throw failure;
  }

  /**
   * What a job changes.
   *
   * @throws Error with the lines to print when it cannot
   */
  async #change(job: RunningJob): Promise<void> {
    const { stage, verb, variables } = job;
    switch (`${stage} ${verb}`) {
      case "claim apply":
        this.owner = variables.OWNER!;
        break;
      case "control-plane apply":
        return this.#controlPlane.apply(variables, this.#site.clusters, () => this.#pass("promotion", job));
      case "etcd-snapshot apply":
        if (!this.#controlPlane.servesEtcd) throw new Error("!!! no etcd runs");
        job.result = { path: `${variables.SNAPSHOT_DIRECTORY}/etcd-20260101T000000Z.db`, sha256: "0".repeat(64), bytes: 5_337_088 };
        return;
      case "etcd-member remove":
        if (variables.LEADER_TO) this.#api().etcd.moveLeader(variables.LEADER_TO);
        return this.#api().etcd.remove(variables.MEMBER_ID!);
      case "flannel apply":
        this.#api();
        this.drift.delete(stage);
        this.#resetting = false;
        return;
      case "worker apply":
        if (this.byHand) throw new Error("!!! somebody has made a node of it by hand");
        this.joined = this.#site.clusters.find(({ tokens }) => tokens.has(variables.JOIN_TOKEN!));
        if (!this.joined) throw new Error("!!! no cluster knows the token");
        this.joined.nodes.add(variables.NODE_NAME!);
        this.#resetting = false;
        return;
      case "reset remove":
        this.#resetting = variables.RENEW === "yes";
        this.#controlPlane.reset(variables.CA_CERT || undefined);
        this.joined = undefined;
        this.byHand = null;
        return;
      case "container-runtime remove":
      case "kubernetes-packages remove":
      case "claim remove":
        this.#controlPlane.clear();
        this.joined = undefined;
        this.byHand = null;
        if (stage === "claim") {
          this.owner = "";
          this.stages.clear();
          this.#logOut();
        }
    }
    if (stage === "logins") this.#logIn(variables, verb);
    if (verb === "apply") {
      this.stages.add(stage);
      this.drift.delete(stage);
    } else this.stages.delete(stage);
  }

  #logIn({ LOGINS, AUTHORIZED_KEYS }: Script["variables"], verb: string): void {
    this.#logOut();
    if (verb !== "apply") return;
    for (const line of LOGINS!.trim().split("\n")) this.logins.set(line.split(" ")[0]!, []);
    for (const line of AUTHORIZED_KEYS!.trim().split("\n")) this.logins.get(line.split(" ")[0]!)!.push(line.slice(line.indexOf(" ") + 1));
  }

  /** The users that were made go with their homes. */
  #logOut(): void {
    this.logins.clear();
    this.kubeconfigs.clear();
  }

  #adminConf(): string {
    if (!this.cluster) throw new Error("cat: /etc/kubernetes/admin.conf: No such file or directory");
    return this.cluster.adminConf;
  }

  /** The cluster, as kubectl on this machine reaches it. */
  #api(): ScriptedCluster {
    if (!this.cluster) throw new Error("error: /etc/kubernetes/admin.conf: no such file or directory");
    if (!this.#controlPlane.isReady) throw new Error("The connection to the server kubernetes-api.internal:6443 was refused");
    return this.cluster;
  }

  #did(what: string): void {
    this.#site.journal.begin(this.label, what).ended();
  }
}

function inspection(stage: string, drift: readonly string[], facts: object = {}): string {
  return JSON.stringify({ stage, drift, facts });
}
