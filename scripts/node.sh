# On a control plane: what the cluster knows of one node. apply = its labels and taints; remove = it is deleted.
#
# Parameters: NODE_NAME
#             NODE_MANIFEST    the Node with the labels that the settings name; applied server-side, so that a label that leaves
#                              the settings leaves the node, and labels of others stay
#             TAINTS           `key=value:effect` lines; each is set
#             UNTAINTS         `key:effect-` lines of taints that left the settings

# Standard output is for documents only.
control() { kubectl --kubeconfig /etc/kubernetes/admin.conf "$@" >&2; }

stage_inspect() {
  local ready
  ready=$(kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=20s get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>&1) || true
  case $ready in
    True) ;;
    False | Unknown) drift "node $NODE_NAME is not Ready" ;;
    *NotFound*) drift "the cluster has no node $NODE_NAME" ;;
    *) drift "the cluster could not be asked for node $NODE_NAME: $ready" ;;
  esac
  print_inspection node "{}"
}

stage_apply() {
  local taint
  # A server-side apply would make a Node that is not there.
  control get node "$NODE_NAME" -o name
  printf '%s' "$NODE_MANIFEST" | control apply --server-side --force-conflicts --field-manager=pulumi-kubeadm -f -
  while IFS= read -r taint; do
    [[ -z $taint ]] || control taint node "$NODE_NAME" "$taint" --overwrite
  done <<< "$TAINTS"
  while IFS= read -r taint; do
    # `kubectl taint` fails for a taint that is not there, which is what is wanted here.
    [[ -z $taint ]] || control taint node "$NODE_NAME" "$taint" || true
  done <<< "$UNTAINTS"
}

stage_remove() { control delete node "$NODE_NAME" --ignore-not-found --timeout=60s; }
