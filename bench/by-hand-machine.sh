#!/usr/bin/env bash
# What the kubeadm pages tell to type on every machine, in their order. Runs as root on the machine.
# Parameters (environment): MINOR VERSION KUBERNETES_REPOSITORY CONTAINERD_REPOSITORY CODENAME REGISTRY PAUSE FLANNEL_IMAGES ENDPOINT ENDPOINT_ADDRESS CONTROL_PLANE
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

echo "phase kernel"
swapoff -a
sed -i '/\sswap\s/s/^/#/' /etc/fstab
printf 'overlay\nbr_netfilter\n' > /etc/modules-load.d/k8s.conf
modprobe overlay
modprobe br_netfilter
printf 'net.bridge.bridge-nf-call-iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\nnet.ipv4.ip_forward = 1\n' > /etc/sysctl.d/k8s.conf
sysctl --system > /dev/null

echo "phase container-runtime"
install -d -m 755 /etc/apt/keyrings
curl -fsSL "$CONTAINERD_REPOSITORY/gpg" -o /etc/apt/keyrings/docker.asc
echo "deb [signed-by=/etc/apt/keyrings/docker.asc] $CONTAINERD_REPOSITORY $CODENAME stable" > /etc/apt/sources.list.d/docker.list
apt-get -qq update
apt-get -qq install -y containerd.io > /dev/null
cat > /etc/containerd/config.toml <<TOML
version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "$PAUSE"
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = "/etc/containerd/certs.d"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true
TOML
for host in registry.k8s.io ghcr.io; do
  install -d "/etc/containerd/certs.d/$host"
  printf 'server = "%s"\n[host."%s"]\n  capabilities = ["pull", "resolve"]\n' "$REGISTRY" "$REGISTRY" > "/etc/containerd/certs.d/$host/hosts.toml"
done
systemctl restart containerd

echo "phase kubernetes-packages"
curl -fsSL "$KUBERNETES_REPOSITORY/Release.key" | gpg --dearmor -o /etc/apt/keyrings/kubernetes-apt-keyring.gpg
echo "deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] $KUBERNETES_REPOSITORY /" > /etc/apt/sources.list.d/kubernetes.list
apt-get -qq update
apt-get -qq install -y "kubelet=$VERSION-*" "kubeadm=$VERSION-*" "kubectl=$VERSION-*" cri-tools > /dev/null
apt-mark hold kubelet kubeadm kubectl > /dev/null
printf 'runtime-endpoint: unix:///run/containerd/containerd.sock\nimage-endpoint: unix:///run/containerd/containerd.sock\n' > /etc/crictl.yaml
systemctl enable -q --now kubelet
echo "$ENDPOINT_ADDRESS $ENDPOINT" >> /etc/hosts

echo "phase images"
if [[ $CONTROL_PLANE == true ]]; then
  kubeadm config images pull --kubernetes-version "v$VERSION" > /dev/null
else
  kubeadm config images list --kubernetes-version "v$VERSION" | grep -E 'kube-proxy|pause' | xargs -rn1 crictl pull > /dev/null
fi
for image in $FLANNEL_IMAGES; do crictl pull "$image" > /dev/null; done
echo "phase done"
