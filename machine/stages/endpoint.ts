import type { Stage } from "./stage.ts";

/** What one control plane is told of the address that moves between them. */
export interface EndpointParameters {
  /** The address. */
  readonly vip: string;
  /** The API's name and port, as in the apiserver's certificate. */
  readonly name: string;
  readonly port: number;
  /** Cluster address of this machine. */
  readonly address: string;
  /** Cluster addresses of the other control planes. */
  readonly peers: readonly string[];
}

/** keepalived on every control plane: it keeps `endpoint.vip` on one whose apiserver is ready. */
export const endpoint: Stage<EndpointParameters> = {
  name: "endpoint",
  script: "endpoint.sh",
  // Packages over a slow line.
  deadlineSeconds: 1800,
  from: "cluster",
  appliesTo: ({ endpoint, controlPlanes }, machine) =>
    endpoint.vip !== undefined && controlPlanes.some(({ name }) => name === machine.name),
  parameters: ({ endpoint, controlPlanes }, machine) => ({
    vip: endpoint.vip!,
    name: endpoint.name,
    port: endpoint.port,
    address: machine.clusterAddress,
    peers: controlPlanes.filter(({ name }) => name !== machine.name).map(({ clusterAddress }) => clusterAddress),
  }),
  environment: ({ vip, name, port, address, peers }) => ({
    ENDPOINT_VIP: vip,
    ENDPOINT_NAME: name,
    ENDPOINT_PORT: String(port),
    NODE_ADDRESS: address,
    PEERS: peers.join(" "),
  }),
};
