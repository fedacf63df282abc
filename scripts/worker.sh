# A worker: kubeadm join, or the join that ran already, until the node is Ready.
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/
#
# Parameters: JOIN_CONFIG  v1beta4 document for `kubeadm join`; holds the token
#             JOIN_TOKEN   the token alone, so that the job masks it
#             CA_CERT      the cluster's CA certificate, PEM
#             NODE_NAME    name of the node

kubelet_conf=/etc/kubernetes/kubelet.conf

# kubelet.conf is the last thing that a join writes; the CA tells whose cluster was joined.
joined() { [[ -s $kubelet_conf && -s /etc/kubernetes/pki/ca.crt && $(< /etc/kubernetes/pki/ca.crt) == "$CA_CERT" ]]; }

node() { kubectl --kubeconfig "$kubelet_conf" --request-timeout=10s get node "$NODE_NAME" "$@" 2>&1; }

node_ready() { [[ $(node -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]; }

# Watches for a while: asking anew each second would take a third of a small processor from what is waited for.
node_becomes_ready() { kubectl --kubeconfig "$kubelet_conf" --request-timeout=30s wait node "$NODE_NAME" --for=condition=Ready --timeout=20s > /dev/null 2>&1; }

stage_inspect() {
  if [[ -e $reset_begun ]]; then
    drift "a reset of $NODE_NAME began and did not end"
  elif ! joined; then
    drift "$NODE_NAME has not joined the cluster"
  elif ! systemctl is-active --quiet kubelet; then
    drift "kubelet is not running on $NODE_NAME"
  elif ! node_ready; then
    drift "node $NODE_NAME is not Ready"
  fi
  print_inspection worker "{}"
}

stage_apply() {
  # Of a cluster that was made anew meanwhile, and has the same CA.
  [[ ! -e $reset_begun ]] || node_reset
  if joined; then
    progress "this machine has joined before: taking it up"
    : > "$worker_begun"
  else
    ! made_by_hand || fail "somebody has made a node of $NODE_NAME by hand" "run 'npx pulumi-kubeadm wipe $NODE_NAME', which tells what is there and asks, and 'pulumi up' again"
    if [[ -e $worker_begun ]]; then
      progress "clearing a kubeadm join that did not end"
      node_reset
    fi
    join
  fi
  systemctl is-active --quiet kubelet || systemctl start kubelet
  # A kubelet whose Node object was deleted registers again only when it starts.
  if [[ $(node) == *NotFound* ]]; then
    progress "registering the node again"
    systemctl restart kubelet
  fi
  wait_until 420 "node $NODE_NAME to be Ready (the pod network's images are pulled and started meanwhile)" node_becomes_ready || { node_evidence; fail_in_vain; }
  rm -f "$reset_begun"
}

join() {
  local config=/run/pulumi-kubeadm/job/kubeadm-join.yaml status=0
  ( umask 077; printf '%s\n' "$JOIN_CONFIG" > "$config" )
  : > "$worker_begun"
  kubeadm_progress "kubeadm join" kubeadm join --config "$config" || status=$?
  rm -f "$config"
  (( status == 0 )) ||
    fail "kubeadm join failed" "read the lines above and 'journalctl -u kubelet' on $NODE_NAME, put right what they name, and run 'pulumi up' again: it clears what this join left and joins anew"
}
