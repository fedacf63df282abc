# On a control plane: lets the pods leave a node; remove = lets them come again, if it was this that sent them away.
# https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
#
# Parameters: NODE_NAME
#             DRAIN_SECONDS  how long they may take

control() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=60s "$@"; }

# On the node while it is cordoned by us.
mark=pulumi-kubeadm/leaving

stage_apply() {
  local answer
  if ! answer=$(control get node "$NODE_NAME" -o name 2>&1); then
    # Gone already; but an apiserver that does not answer says nothing about the node.
    [[ $answer == *NotFound* ]] && return 0
    fail "the cluster could not be asked for node $NODE_NAME: $answer" "bring the apiserver back, and run 'pulumi up' again"
  fi
  # One that somebody had cordoned before is not ours to uncordon.
  [[ $(control get node "$NODE_NAME" -o 'jsonpath={.spec.unschedulable}') ]] || control annotate node "$NODE_NAME" "$mark=yes" --overwrite >&2
  # What does not leave in time is told and left behind: the machine goes away whatever runs on it.
  kubectl --kubeconfig /etc/kubernetes/admin.conf drain "$NODE_NAME" \
    --ignore-daemonsets --delete-emptydir-data --force --timeout="${DRAIN_SECONDS}s" >&2 ||
    progress "$NODE_NAME did not drain in $DRAIN_SECONDS s; it is removed all the same"
}

stage_remove() {
  [[ $(control get node "$NODE_NAME" -o "jsonpath={.metadata.annotations.${mark//./\\.}}") ]] || return 0
  control uncordon "$NODE_NAME" >&2
  control annotate node "$NODE_NAME" "$mark-" >&2
}
