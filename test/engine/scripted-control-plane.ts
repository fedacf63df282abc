import { parseAllDocuments } from "yaml";
import { caCertOf, ScriptedCluster, type Authority } from "./scripted-cluster.ts";
import type { ScriptedMember } from "./scripted-etcd.ts";

/** What of kubeadm's first document is read: of an InitConfiguration or a JoinConfiguration. */
interface Configuration {
  readonly nodeRegistration: { readonly name: string };
  readonly localAPIEndpoint?: { readonly advertiseAddress: string };
  readonly discovery?: { readonly bootstrapToken: { readonly token: string } };
  readonly controlPlane?: { readonly localAPIEndpoint: { readonly advertiseAddress: string }; readonly certificateKey: string };
}

/** What of kubeadm's second document is read: of a ClusterConfiguration, which comes with an InitConfiguration. */
interface SharedConfiguration {
  readonly apiServer: { readonly certSANs: readonly string[] };
}

/** What one machine holds of a control plane, as scripts/control-plane.sh makes it and finds it. */
export class ScriptedControlPlane {
  readonly #isUp: () => boolean;
  #state: "none" | "unfinished" | "member" = "none";
  #cluster: ScriptedCluster | undefined;
  #member: ScriptedMember | undefined;
  /** The CA whose keys a reset keeps. */
  #kept: Authority | undefined;

  /** @param isUp whether the machine runs */
  constructor(isUp: () => boolean) {
    this.#isUp = isUp;
  }

  get state() {
    return this.#state;
  }

  /** The cluster of a finished control plane. */
  get cluster(): ScriptedCluster | undefined {
    return this.#state === "member" ? this.#cluster : undefined;
  }

  /** Whether the etcd on the machine is a member and runs. */
  get servesEtcd(): boolean {
    return this.#cluster?.etcd.serves(this.#member) ?? false;
  }

  /** Whether the machine's own apiserver is ready: it knows no other etcd than the one beside it. */
  get isReady(): boolean {
    return this.#state === "member" && this.servesEtcd && this.#cluster!.etcd.hasQuorum;
  }

  /**
   * The facts of its inspect.
   *
   * @param working whether a job works on the control plane now
   */
  facts(working: boolean): object {
    const etcd = this.#cluster?.etcd;
    return {
      state: working && this.#state !== "member" ? "working" : this.#state,
      recovering: false,
      ready: this.isReady,
      caCert: Buffer.from(this.cluster?.caCert ?? "").toString("base64"),
      keptCaCert: Buffer.from((!this.cluster && this.caCert) || "").toString("base64"),
      etcd: etcd?.serves(this.#member) ? { list: etcd.list(this.#member), statuses: etcd.statuses } : null,
    };
  }

  /**
   * Its apply: takes up what is there, or begins with kubeadm.
   *
   * @param clusters those that can be joined
   * @param beforePromotion between the moment in which etcd takes the member in and the one in which it votes
   * @throws Error in the words of whoever refuses
   */
  async apply(variables: Readonly<Record<string, string>>, clusters: readonly ScriptedCluster[], beforePromotion: () => Promise<void>): Promise<void> {
    if (this.#state === "member") return;
    if (this.#state !== variables.EXPECTED) throw new Error(`!!! seen as ${variables.EXPECTED}, and now ${this.#state}`);
    this.clear();
    const command = variables.KUBEADM_COMMAND;
    if (!command) throw new Error(`${variables.NODE_NAME} runs no control plane any more`);
    this.#state = "unfinished";
    const [first, second] = parseAllDocuments(variables.KUBEADM_CONFIG!);
    const configuration: Configuration = first!.toJS();
    const cluster = command === "init" ? await ScriptedCluster.create(this.#kept) : joined(configuration, clusters);
    if (command === "init" && second) cluster.apiserverNames = (second.toJS() as SharedConfiguration).apiServer.certSANs;
    const { advertiseAddress: address } = (configuration.localAPIEndpoint ?? configuration.controlPlane?.localAPIEndpoint)!;
    const { name } = configuration.nodeRegistration;
    this.#cluster = cluster;
    const member: ScriptedMember = cluster.etcd.add({ name, address, runs: () => this.#isUp() && this.#member === member });
    this.#member = member;
    await beforePromotion();
    cluster.etcd.promote(member);
    cluster.nodes.add(name);
    this.#state = "member";
    this.#kept = undefined;
  }

  /** Certificate of the CA whose keys are on the machine. */
  get caCert(): string | undefined {
    return this.#kept ? caCertOf(this.#kept) : this.cluster?.caCert;
  }

  /** Takes the control plane away. @param caCert of the CA whose keys stay; undefined: none */
  reset(caCert: string | undefined): void {
    if (caCert !== undefined && this.caCert?.trim() !== caCert) throw new Error("!!! the keys of the cluster's CA are not on this machine");
    this.#kept = caCert === undefined ? undefined : (this.#kept ?? this.cluster!.authority);
    this.clear();
  }

  /** kubeadm reset without a word to the other members. */
  clear(): void {
    this.#state = "none";
    this.#cluster = this.#member = undefined;
  }
}

/** The cluster that a join finds by its token, and whose certificates it can read with its key; kubeadm takes no name twice. */
function joined({ nodeRegistration: { name }, discovery, controlPlane }: Configuration, clusters: readonly ScriptedCluster[]): ScriptedCluster {
  const cluster = clusters.find(({ tokens }) => tokens.has(discovery!.bootstrapToken.token));
  if (!cluster) throw new Error("!!! no cluster knows the token");
  if (cluster.nodes.has(name)) throw new Error(`a Node with name "${name}" and status "Ready" already exists in the cluster`);
  if (cluster.certificateKey !== controlPlane!.certificateKey) throw new Error("error decoding secret data with provided key");
  return cluster;
}
