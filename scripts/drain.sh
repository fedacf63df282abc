# On a control plane: lets the pods leave a node.
# https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
#
# Parameters: NODE_NAME
#             DRAIN_SECONDS  how long they may take

stage_apply() {
  local answer
  if ! answer=$(kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=60s get node "$NODE_NAME" -o name 2>&1); then
    # Gone already; but an apiserver that does not answer says nothing about the node.
    [[ $answer == *NotFound* ]] && return 0
    fail "the cluster could not be asked for node $NODE_NAME: $answer" "bring the apiserver back, and run 'pulumi up' again"
  fi
  # What does not leave in time is told and left behind: the machine goes away whatever runs on it.
  kubectl --kubeconfig /etc/kubernetes/admin.conf drain "$NODE_NAME" \
    --ignore-daemonsets --delete-emptydir-data --force --timeout="${DRAIN_SECONDS}s" >&2 ||
    progress "$NODE_NAME did not drain in $DRAIN_SECONDS s; it is removed all the same"
}
