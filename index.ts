import * as pulumi from "@pulumi/pulumi";
import { Cluster, type ClusterArgs } from "./components/cluster.ts";
import { readConfig } from "./components/config.ts";

// What the schema refuses is refused by Cluster, all faults at once: no key is trusted before.
const cluster = new Cluster(pulumi.getStack(), readConfig() as unknown as ClusterArgs);

/** The stack's outputs. Machines that are only prepared have no kubeconfig. */
export default {
  /** Admin kubeconfig: `npx pulumi stack output kubeconfig --show-secrets > kubeconfig` (then `chmod 600 kubeconfig`). */
  ...(cluster.kubeconfig && { kubeconfig: cluster.kubeconfig }),
  /** Name and port under which the nodes know the API. */
  endpoint: cluster.endpoint,
  /** Kubernetes patch version of the cluster. */
  kubernetesVersion: cluster.kubernetesVersion,
};
