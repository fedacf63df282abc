#!/usr/bin/env bash
# kubeadm init and flannel, as the pages tell. Runs as root on the control plane; prints the join command before it ends.
# Parameters (environment): VERSION NODE ADDRESS ENDPOINT WAIVERS FLANNEL_MANIFEST TAKES_PODS
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

echo "phase init"
cat > /tmp/kubeadm.yaml <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $ADDRESS}
nodeRegistration:
  name: $NODE
  criSocket: unix:///run/containerd/containerd.sock
  ignorePreflightErrors: [$WAIVERS]
timeouts: {controlPlaneComponentHealthCheck: 8m}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v$VERSION
controlPlaneEndpoint: $ENDPOINT:6443
networking: {podSubnet: 10.244.0.0/16}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
YAML
kubeadm init --config /tmp/kubeadm.yaml > /tmp/kubeadm-init.log 2>&1 || { cat /tmp/kubeadm-init.log; exit 1; }
[[ $TAKES_PODS == true ]] && kubectl taint nodes "$NODE" node-role.kubernetes.io/control-plane- > /dev/null

echo "phase flannel"
printf '%s' "$FLANNEL_MANIFEST" | kubectl apply -f - > /dev/null
kubectl wait --for=condition=Ready "node/$NODE" --timeout=420s > /dev/null
kubectl -n kube-system rollout status deployment/coredns --timeout=300s > /dev/null
echo "join $(kubeadm token create --print-join-command)"
echo "phase done"
