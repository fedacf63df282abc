# On a control plane: the pod network, applied server-side, until the control planes are Ready and CoreDNS answers.
# https://github.com/flannel-io/flannel
#
# Parameters: FLANNEL_MANIFEST  all objects, YAML
#             NODES             names of the control-plane nodes, separated by spaces

control() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=30s "$@"; }

stage_inspect() {
  local status=0
  # 0: no difference; 1: differences; more: could not be asked.
  printf '%s' "$FLANNEL_MANIFEST" | control diff --server-side --force-conflicts --field-manager=pulumi-kubeadm -f - >/dev/null 2>&1 || status=$?
  case $status in
    0) ;;
    1) drift "flannel's objects in the cluster differ from what was applied" ;;
    *) drift "the cluster could not be asked for flannel's objects" ;;
  esac
  print_inspection flannel "{}"
}

# These watch for a while: asking anew each second would take a third of a small processor from what is waited for.
nodes_ready() {
  local nodes
  read -ra nodes <<< "$NODES"
  control wait node "${nodes[@]}" --for=condition=Ready --timeout=20s > /dev/null 2>&1
}

# Available says less: a deployment of one replica is that without any.
coredns_answers() { control -n kube-system wait deployment coredns --for='jsonpath={.status.availableReplicas}' --timeout=20s > /dev/null 2>&1; }

# The last lines are those that are shown.
evidence() {
  control get events -A --field-selector type=Warning --sort-by=.lastTimestamp 2>/dev/null | tail -n 8 || true
  control -n kube-system get pods -l k8s-app=kube-dns -o wide || true
  control -n kube-flannel get pods -o wide || true
  control get nodes -o wide || true
}

stage_apply() {
  progress "applying flannel"
  printf '%s' "$FLANNEL_MANIFEST" | control apply --server-side --force-conflicts --field-manager=pulumi-kubeadm -f -
  wait_until 420 "the control planes to be Ready" nodes_ready || { evidence; fail_in_vain; }
  wait_until 300 "CoreDNS to answer" coredns_answers || { evidence; fail_in_vain; }
  # With its pod network a cluster that was made anew is whole.
  rm -f "$reset_begun"
}
