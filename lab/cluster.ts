import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sshTarget } from "./api.ts";
import { floatingAddress, machineNamed, network } from "./machines.ts";

/** Machines of one lab cluster, by their names in machines.ts. */
export interface LabCluster {
  readonly controlPlanes: readonly string[];
  readonly workers: readonly string[];
}

/** Sites of the lab by which the product knows it: what an operator of a closed network writes into the stack file. */
const site = `http://${network.address}`;
const registry = `http://${network.address}:5000`;

/**
 * A stack's configuration for machines of the lab, as an operator of a closed network would write it.
 *
 * @param www the mirror's web root, for its public key
 * @param user a user of machines.ts
 */
export function clusterConfig({ controlPlanes, workers }: LabCluster, www: string, user = "ops"): Record<string, unknown> {
  const key = readFileSync(join(www, "docker/debian/gpg"), "utf8");
  const machine = (name: string) => ({ name, host: machineNamed(name).address });
  const { keyPath, knownHostsPath } = sshTarget(controlPlanes[0]!, user);
  const mirror = { endpoints: [registry] };
  return {
    ssh: { user, privateKeyPath: keyPath, hostKeys: "known_hosts", knownHostsPath },
    controlPlanes: controlPlanes.map(machine),
    ...(controlPlanes.length > 1 && { endpoint: { vip: floatingAddress } }),
    // All machines of the lab share two processors or so: with etcd's own second it elects whenever several of them start something.
    etcd: { electionTimeoutMilliseconds: 5000 },
    ...(workers.length > 0 && { workers: workers.map(machine) }),
    packages: {
      kubernetes: { url: `${site}/kubernetes/core:/stable:/v{minor}/deb/`, key },
      containerd: { url: `${site}/docker/debian`, key },
    },
    registryMirrors: { "registry.k8s.io": mirror, "ghcr.io": mirror, "docker.io": mirror },
    // User Mode Linux has one processor and no cpuset controller.
    ignorePreflightErrors: ["NumCPU", "SystemVerification"],
  };
}
