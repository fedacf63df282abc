import * as pulumi from "@pulumi/pulumi";
import { Cluster, type ClusterArgs } from "./components/cluster.ts";
import { readConfig } from "./components/config.ts";

const config = readConfig();
const name = typeof config.name === "string" ? config.name : pulumi.getStack();

// What the schema refuses is refused by Cluster, all faults at once: no key is trusted before.
const cluster = new Cluster(name, config as unknown as ClusterArgs);

/** Admin kubeconfig: `npx pulumi stack output kubeconfig --show-secrets > kubeconfig` (then `chmod 600 kubeconfig`). */
export const kubeconfig = cluster.kubeconfig;
/** Name and port under which the nodes know the API. */
export const endpoint = cluster.endpoint;
/** Kubernetes patch version of the cluster. */
export const kubernetesVersion = cluster.kubernetesVersion;
