# What a cluster brings to a machine, whether we make it or somebody by hand on a machine that is prepared for it: noted before it is
# there, so that it goes again.

# note_node_traces STAGE
note_node_traces() {
  local stage=$1 name absent=()
  # kubectl keeps a cache there; a kubeconfig that somebody puts beside it stays.
  ledger_directory "$stage" /root/.kube
  ledger_trees "$stage" /etc/kubernetes /var/lib/kubelet /var/lib/etcd /etc/cni /opt/cni /var/lib/cni \
    /usr/libexec/kubernetes /var/log/pods /var/log/containers /run/flannel /root/.kube/cache
  # kubelet and kube-proxy set these when they start.
  ledger_sysctl "$stage" vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops \
    kernel.keys.root_maxkeys kernel.keys.root_maxbytes net.ipv4.conf.all.route_localnet \
    net.netfilter.nf_conntrack_max net.netfilter.nf_conntrack_buckets \
    net.netfilter.nf_conntrack_tcp_timeout_established net.netfilter.nf_conntrack_tcp_timeout_close_wait
  read_packages kubelet kubectl kubernetes-cni
  for name in kubelet kubectl kubernetes-cni; do [[ ${package_version[$name]:-} ]] || absent+=("$name"); done
  ((${#absent[@]} == 0)) || ledger "$stage" packages "${absent[*]}"
}
