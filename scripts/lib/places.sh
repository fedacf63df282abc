# Where things are on a machine.

state_dir=/var/lib/pulumi-kubeadm
ledger_dir=$state_dir/ledger

runtime_socket=/run/containerd/containerd.sock

# Written before a kubeadm init or join of a control plane begins: only what it then leaves half-way may be cleared.
control_plane_begun=$state_dir/control-plane-begun
# Written when it has ended well: from then on the machine holds a member's data, and no apply resets it.
control_plane_ended=$state_dir/control-plane-ended
# Written on a worker before a kubeadm join begins, and left there: what is on a machine without one of these marks, somebody made by hand.
worker_begun=$state_dir/worker-begun
# Keys of the cluster's CA, from the reset that keeps them until the kubeadm init that takes them up again.
kept_keys=$state_dir/kept-keys
# There from the beginning of such a reset until the machine is a node again.
reset_begun=$state_dir/reset-begun
# Names of the files that configured pod networks when the machine was taken.
cni_before=$state_dir/cni-before
# There while a recovery of lost quorum is not finished.
recovery_mark=/var/lib/etcd/pulumi-kubeadm-recovery

config_dir=/etc/kubernetes
pki=$config_dir/pki
kubelet_certificate=/var/lib/kubelet/pki/kubelet-client-current.pem
