#!/usr/bin/env bash
# What the kubeadm page tells to type on a control plane that is to be made anew. Runs as root on the machine.
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/create-cluster-kubeadm/#clean-up-the-control-plane
set -euo pipefail

echo "phase reset"
kubeadm reset --force > /tmp/kubeadm-reset.log 2>&1 || { cat /tmp/kubeadm-reset.log; exit 1; }
# Not the folder itself: containerd ends when the one that it watches is gone.
rm -rf /etc/cni/net.d/* /var/lib/cni/*
iptables -F && iptables -t nat -F && iptables -t mangle -F && iptables -X
for link in cni0 flannel.1; do ! ip link show "$link" > /dev/null 2>&1 || ip link delete "$link"; done
echo "phase done"
