# On a control plane: what the cluster knows of one node. apply = its labels and taints; remove = drain it and delete it.
# https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
#
# Parameters: NODE_NAME
#             NODE_MANIFEST    the Node with the labels that the settings name; applied server-side, so that a label that leaves
#                              the settings leaves the node, and labels of others stay
#             TAINTS           `key=value:effect` lines; each is set
#             UNTAINTS         `key:effect-` lines of taints that left the settings
#             DRAIN_SECONDS    how long pods may take to leave

control() { kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }

stage_inspect() {
  local ready
  ready=$(control get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>&1) || true
  case $ready in
    True) ;;
    *NotFound*) drift "the cluster has no node $NODE_NAME" ;;
    *) drift "node $NODE_NAME is not Ready" ;;
  esac
  print_inspection node "{}"
}

stage_apply() {
  local taint
  # A server-side apply would make a Node that is not there.
  control get node "$NODE_NAME" -o name >/dev/null
  printf '%s' "$NODE_MANIFEST" | control apply --server-side --force-conflicts --field-manager=pulumi-kubeadm -f -
  while IFS= read -r taint; do
    [[ -z $taint ]] || control taint node "$NODE_NAME" "$taint" --overwrite
  done <<< "$TAINTS"
  while IFS= read -r taint; do
    # `kubectl taint` fails for a taint that is not there, which is what is wanted here.
    [[ -z $taint ]] || control taint node "$NODE_NAME" "$taint" || true
  done <<< "$UNTAINTS"
}

stage_remove() {
  control get node "$NODE_NAME" -o name >/dev/null 2>&1 || return 0
  progress "draining $NODE_NAME"
  # What does not leave in time is told and left behind: the machine goes away whatever runs on it.
  control drain "$NODE_NAME" --ignore-daemonsets --delete-emptydir-data --force --timeout="${DRAIN_SECONDS}s" ||
    printf '==> %s did not drain in %s s; it is removed all the same\n' "$NODE_NAME" "$DRAIN_SECONDS"
  control delete node "$NODE_NAME" --timeout=60s
}
