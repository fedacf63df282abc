import { adminKubeconfig, type ApiAddress } from "../kubeadm/kubeconfig.ts";
import { connect } from "../machine/connection.ts";
import { MachineError } from "../machine/errors.ts";
import type { Reporter } from "../machine/reporter.ts";
import type { Member } from "./member.ts";
import type { ControlPlaneInputs, SharedSettings } from "./reconcile.ts";

/** What the control plane gives. */
export interface ControlPlaneResult {
  readonly kubeconfig: string;
  readonly caCertHash: string;
}

/**
 * The admin kubeconfig and the hash of the cluster's CA, read from the first member.
 *
 * @throws MachineError when it has none
 */
export async function describe({ cluster, members }: ControlPlaneInputs, reporter: Reporter): Promise<ControlPlaneResult> {
  const member = members[0]!;
  const connection = await connect(member.target, reporter);
  const { code, stdout, stderr } = await connection.sudo({ script: "cat /etc/kubernetes/admin.conf", timeoutSeconds: 60 });
  if (code !== 0) {
    throw new MachineError({
      machine: member.name,
      stage: "control-plane",
      cause: `/etc/kubernetes/admin.conf cannot be read: ${stderr.trim()}`,
      next: "put it back with `kubeadm init phase kubeconfig admin` on that machine, and run `pulumi up` again",
    });
  }
  return adminKubeconfig(stdout, apiAddressOf(cluster, member));
}

/** Where people outside of the cluster find its API. @param first of the control planes */
export function apiAddressOf({ endpoint, name: clusterName }: Pick<SharedSettings, "endpoint" | "name">, first: Member): ApiAddress {
  // Behind a bastion only the cluster's own network knows the machine, and whoever uses kubectl there is in it.
  const address = endpoint.vip ?? endpoint.external ?? (first.target.bastion ? first.clusterAddress : first.target.host);
  return { address, port: endpoint.port, serverName: endpoint.name, clusterName };
}
