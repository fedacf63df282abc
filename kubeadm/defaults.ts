/** Defaults that the schema and the checks across settings share. */
export const defaults = {
  /** flannel's own manifest has it. */
  podSubnet: "10.244.0.0/16",
  /** kubeadm's default (kubeadm v1beta4, networking.serviceSubnet). */
  serviceSubnet: "10.96.0.0/12",
  /** .internal is reserved for private use (ICANN resolution 2024.07.29.06). */
  endpointName: "kubernetes-api.internal",
  /** In the kit's own directory on a machine, which goes away when the machine is given back. */
  snapshotDirectory: "/var/lib/pulumi-kubeadm/snapshots",
  /** Port of ssh. */
  sshPort: 22,
} as const;
