# On a control plane: what `pulumi-kubeadm status` shows of it and scripts/control-plane.sh does not tell; or, asked for them, the nodes.
#
# Parameters: ENDPOINT_VIP  address that keepalived moves; empty without one
#             ASK_NODES     yes: only what the cluster says of its nodes, through this machine

stage_inspect() {
  local list
  if [[ $ASK_NODES ]]; then
    list=$(nodes)
    print_inspection status "{\"nodes\":$(json_string "$list")}"
  else
    print_inspection status "{\"certificates\":[$(certificates)],\"holdsVip\":$(holds_vip)}"
  fi
}

# A line for each: name, Ready's status, `true` when it takes no new pods, version of the kubelet.
nodes() {
  kubectl --kubeconfig "$config_dir/admin.conf" --request-timeout=20s get nodes -o \
    'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.conditions[?(@.type=="Ready")].status}{"\t"}{.spec.unschedulable}{"\t"}{.status.nodeInfo.kubeletVersion}{"\n"}{end}'
}

holds_vip() {
  if [[ $ENDPOINT_VIP && $(ip -oneline -4 address show to "$ENDPOINT_VIP/32" 2>/dev/null) ]]; then printf true; else printf false; fi
}
