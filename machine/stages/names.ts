import type { ClusterSettings, MachineSettings } from "../../kubeadm/settings.ts";
import type { Stage } from "./stage.ts";

/** What the names of the cluster stand for. */
export interface NamesParameters {
  readonly endpoint: {
    readonly name: string;
    /** Undefined when the machines resolve the name themselves. */
    readonly address?: string;
  };
  /** Every node, control planes first. */
  readonly nodes: readonly { readonly name: string; readonly address: string }[];
}

/** The API's name and the nodes' names in /etc/hosts of every machine, in a way that survives a restart. */
export const names: Stage<NamesParameters> = {
  name: "names",
  script: "names.sh",
  deadlineSeconds: 120,
  from: "runtime",
  parameters: ({ endpoint, controlPlanes, workers, prepareTo }) => ({
    endpoint: endpointOf(endpoint, controlPlanes[0]!, prepareTo),
    nodes: [...controlPlanes, ...workers].map(({ name, clusterAddress }) => ({ name, address: clusterAddress })),
  }),
  environment: ({ endpoint, nodes }) => ({
    // The endpoint stands on a line of its own, so that the first name of each address stays the node's.
    HOSTS: [...nodes, endpoint].flatMap(({ name, address }) => (address === undefined ? [] : `${address} ${name}\n`)).join(""),
    ENDPOINT_NAME: endpoint.name,
    ENDPOINT_ADDRESS: endpoint.address ?? "",
  }),
};

function endpointOf({ name, vip, external }: ClusterSettings["endpoint"], first: MachineSettings, prepareTo: ClusterSettings["prepareTo"]): NamesParameters["endpoint"] {
  // A balancer that is given by its name is the endpoint's name itself.
  if (external === name) return { name };
  // One control plane without an address that moves is its own endpoint. Nothing moves the address on machines that are only prepared.
  return { name, address: (prepareTo === "cluster" ? vip : undefined) ?? external ?? first.clusterAddress };
}
