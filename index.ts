import * as pulumi from "@pulumi/pulumi";
import { Cluster, type ClusterArgs } from "./components/cluster.ts";
import { readConfig } from "./components/config.ts";

// What the schema refuses is refused by Cluster, all faults at once: no key is trusted before.
const cluster = new Cluster(pulumi.getStack(), readConfig() as unknown as ClusterArgs);

/** Admin kubeconfig; there is none with `prepareTo`: `npx pulumi stack output kubeconfig --show-secrets > kubeconfig` (then `chmod 600 kubeconfig`). */
export const kubeconfig = cluster.kubeconfig;
/** Name and port under which the nodes know the API. */
export const endpoint = cluster.endpoint;
/** Kubernetes patch version of the cluster. */
export const kubernetesVersion = cluster.kubernetesVersion;
