import type { Stage } from "./stage.ts";

/** What the names of the cluster stand for. */
export interface NamesParameters {
  readonly endpoint: { readonly name: string; readonly address: string };
  /** Every node, control planes first. */
  readonly nodes: readonly { readonly name: string; readonly address: string }[];
}

/** The API's name and the nodes' names in /etc/hosts of every machine, in a way that survives a restart. */
export const names: Stage<NamesParameters> = {
  name: "names",
  title: "writing the cluster's names",
  script: "names.sh",
  deadlineSeconds: 120,
  parameters: ({ endpoint, controlPlanes, workers }) => ({
    // One control plane is its own endpoint.
    endpoint: { name: endpoint.name, address: controlPlanes[0]!.clusterAddress },
    nodes: [...controlPlanes, ...workers].map(({ name, clusterAddress }) => ({ name, address: clusterAddress })),
  }),
  environment: ({ endpoint, nodes }) => ({
    // The endpoint stands on a line of its own, so that the first name of each address stays the node's.
    HOSTS: [...nodes, endpoint].map(({ name, address }) => `${address} ${name}\n`).join(""),
    ENDPOINT_NAME: endpoint.name,
    ENDPOINT_ADDRESS: endpoint.address,
  }),
};
