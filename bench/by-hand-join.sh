#!/usr/bin/env bash
# kubeadm join, as the page tells. Runs as root on the worker.
# Parameters (environment): NODE ADDRESS JOIN WAIVERS
set -euo pipefail

echo "phase join"
read -r _ _ endpoint _ token _ hash <<< "$JOIN"
cat > /tmp/kubeadm.yaml <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery: {bootstrapToken: {token: $token, apiServerEndpoint: "$endpoint", caCertHashes: ["$hash"]}}
nodeRegistration: {name: $NODE, criSocket: unix:///run/containerd/containerd.sock, ignorePreflightErrors: [$WAIVERS]}
YAML
kubeadm join --config /tmp/kubeadm.yaml > /tmp/kubeadm-join.log 2>&1 || { cat /tmp/kubeadm-join.log; exit 1; }
until [[ $(kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$NODE" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) == True ]]; do sleep 1; done
echo "phase done"
