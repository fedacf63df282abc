# The first control plane of a cluster: kubeadm init, or the one that ran already, until its apiserver is ready.
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/create-cluster-kubeadm/
#
# Parameters: KUBEADM_CONFIG  v1beta4 documents for `kubeadm init`
#             NODE_NAME       name of the node
#             LOGIN_USER      who logs in over SSH: gets kubectl set up, as the kubeadm page tells

admin_conf=/etc/kubernetes/admin.conf
# Written before kubeadm init begins: only what it then leaves half-way may be cleared.
initialising=$state_dir/initialising
# Written when kubeadm init has ended well: from then on this is a cluster with data, and nothing here resets it.
initialised=$state_dir/initialised

control_plane_state() {
  if [[ -e $initialised ]]; then
    echo initialised
  elif [[ -e $initialising ]]; then
    echo unfinished
  elif [[ -e /etc/kubernetes/manifests/kube-apiserver.yaml || -e $admin_conf || -d /var/lib/etcd/member ]]; then
    echo foreign
  else
    echo none
  fi
}

apiserver_ready() { kubectl --kubeconfig "$admin_conf" --request-timeout=5s get --raw /readyz >/dev/null 2>&1; }

stage_inspect() {
  local state ready=false ca=""
  state=$(control_plane_state)
  if [[ $state == initialised ]]; then
    # A busy apiserver that misses one question has not drifted.
    if wait_until 30 "the apiserver to be ready" apiserver_ready; then ready=true; else drift "the apiserver on $NODE_NAME is not ready"; fi
    systemctl is-active --quiet kubelet || drift "kubelet is not running on $NODE_NAME"
    [[ ! -s /etc/kubernetes/pki/ca.crt ]] || ca=$(base64 -w0 /etc/kubernetes/pki/ca.crt)
  else
    drift "$NODE_NAME runs no control plane"
  fi
  print_inspection control-plane "{\"state\":$(json_string "$state"),\"ready\":$ready,\"caCert\":$(json_string "$ca")}"
}

stage_apply() {
  case $(control_plane_state) in
    initialised) progress "kubeadm init ended well before: taking up its cluster" ;;
    unfinished)
      progress "clearing a kubeadm init that did not end"
      node_reset
      initialise
      ;;
    none) initialise ;;
    foreign)
      fail "$NODE_NAME holds a control plane that this kit did not make, or has lost its own mark of it" \
        "keep it, and take the machine out of the settings; or run 'kubeadm reset' on it, which destroys that cluster's data, and 'pulumi up' again"
      ;;
  esac
  [[ -s $admin_conf ]] || fail "$admin_conf is gone from $NODE_NAME" "put it back with 'kubeadm init phase kubeconfig admin' on $NODE_NAME, and run 'pulumi up' again"
  systemctl is-active --quiet kubelet || systemctl start kubelet
  wait_until 300 "the apiserver to be ready" apiserver_ready || { node_evidence; return 1; }
  kubectl_for_login_user
}

initialise() {
  local config=/run/pulumi-kubeadm/job/kubeadm-init.yaml
  ( umask 077; printf '%s\n' "$KUBEADM_CONFIG" > "$config" )
  : > "$initialising"
  kubeadm_progress "kubeadm init" kubeadm init --config "$config" ||
    fail "kubeadm init failed" "read the lines above and 'journalctl -u kubelet' on $NODE_NAME, put right what they name, and run 'pulumi up' again: it clears what this init left and starts it anew"
  rm -f "$config"
  : > "$initialised"
  rm -f "$initialising"
}

kubectl_for_login_user() {
  local home group
  home=$(getent passwd "$LOGIN_USER" | cut -d: -f6)
  group=$(id -g "$LOGIN_USER")
  [[ -d $home ]] || return 0
  # What the user puts beside it later is the user's.
  ledger_directory control-plane "$home/.kube"
  [[ -d $home/.kube ]] || install -d -m 700 -o "$LOGIN_USER" -g "$group" "$home/.kube"
  ledger_trees control-plane "$home/.kube/cache"
  ledger_file control-plane "$home/.kube/config"
  install -m 600 -o "$LOGIN_USER" -g "$group" "$admin_conf" "$home/.kube/config"
}
