# Takes the machine out of whatever cluster it is a node of.

node_has_traces() {
  local traces=(
    /etc/kubernetes/*.conf /etc/kubernetes/manifests/*.yaml /etc/kubernetes/pki/ca.[c]rt /var/lib/etcd/membe[r]
    /var/lib/kubelet/config.yam[l] /etc/cni/net.d/10-flannel.conflis[t]
    /sys/class/net/cni[0] /sys/class/net/flannel.* /sys/class/net/kube-ipvs[0] /run/netns/cni-*
  )
  ((${#traces[@]} > 0))
}

# kubeadm reset, and all that it leaves behind:
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/#cleanup-of-network-configuration
# Other software's containers, links and packet filter rules stay.
node_reset() {
  if node_has_traces; then
    progress "resetting the node"
    [[ -S $runtime_socket ]] || systemctl start containerd 2>/dev/null || true
    systemctl stop kubelet 2>/dev/null || true
    # All at the same time; kubeadm reset takes one after the other.
    remove_pods
    # An etcd member leaves its cluster from a machine that stays, before this; here its data goes. Asking the cluster to let it go
    # would only wait for an apiserver that may be gone.
    if command -v kubeadm > /dev/null; then
      kubeadm_progress "kubeadm reset" timeout 300 kubeadm reset --force --cleanup-tmp-dir --skip-phases=remove-etcd-member \
        --cri-socket "unix://$runtime_socket" || warning "kubeadm reset did not end well; the rest is cleared all the same"
    fi
    remove_node_network
    remove_node_files
  fi
  rm -f "$control_plane_begun" "$control_plane_ended" "$worker_begun"
  ledger_undo control-plane
  ledger_undo worker
}

remove_pods() {
  local pods
  [[ -S $runtime_socket ]] && command -v crictl > /dev/null || return 0
  pods=$(crictl --runtime-endpoint "unix://$runtime_socket" --timeout 60s pods -q 2>/dev/null) || pods=""
  [[ $pods ]] || return 0
  progress "removing the pods"
  crictl --runtime-endpoint "unix://$runtime_socket" --timeout 60s rmp --all --force >&2 || warning "not all pods could be removed"
}

# What kubeadm and the pods leave. Directories that packages or we made go with these.
remove_node_files() {
  local leftovers=(
    /etc/kubernetes/*.conf /etc/kubernetes/manifests/* /etc/kubernetes/pki /etc/kubernetes/tmp
    /var/lib/etcd/* /var/lib/etcd/.[!.]* /var/lib/kubelet/* /var/lib/kubelet/.[!.]*
    /etc/cni/net.d/10-flannel.conflist /var/lib/cni/flannel /var/lib/cni/networks/cbr0 /var/lib/cni/results/cbr0-* /run/flannel
    /var/log/pods/* /var/log/containers/*
  )
  list_new_cni_files
  unmount_below /var/lib/kubelet
  rm -rf --one-file-system -- "${leftovers[@]}" || warning "not all files of the cluster could be removed"
}

# Adds to `leftovers` what has configured a pod network since the machine was taken: of several the first by name is in force.
list_new_cni_files() {
  local text path
  read_file "$cni_before" || return 0
  for path in /etc/cni/net.d/*; do [[ $newline$text == *"$newline${path##*/}$newline"* ]] || leftovers+=("$path"); done
}
