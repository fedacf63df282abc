# One control plane: kubeadm init, or kubeadm join of one more, or the one that ran already, until it is ready.
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/
#
# Parameters: KUBEADM_COMMAND  init or join; empty: only what is there is taken up
#             KUBEADM_CONFIG   v1beta4 documents for it; of a join they hold the next two, which stand alone so that the job masks them
#             JOIN_TOKEN       bootstrap token; empty for init
#             CERTIFICATE_KEY  key of the certificates that a control plane uploaded; empty for init
#             API_PORT         port of the apiserver
#             NODE_NAME        name of the node
#             EXPECTED         what the machine was seen to hold when this was decided: none, unfinished or member
#             OWNER            for inspect: project/stack/cluster
#             LOGIN_USER       who logs in over SSH: gets kubectl set up, as the kubeadm page tells

admin_conf=/etc/kubernetes/admin.conf

control_plane_state() {
  if [[ -e $control_plane_ended ]]; then
    echo member
  elif [[ -e $control_plane_begun ]]; then
    echo unfinished
  elif [[ -e /etc/kubernetes/manifests/kube-apiserver.yaml || -e $admin_conf || -d /var/lib/etcd/member ]]; then
    echo foreign
  else
    echo none
  fi
}

# Whether a job makes the machine's control plane now, or clears the way for it.
control_plane_job_runs() {
  local stage=""
  systemctl is-active --quiet pulumi-kubeadm.service || return 1
  read -r stage < /run/pulumi-kubeadm/job/holder || return 1
  [[ $stage == control-plane || $stage == reset ]]
}

# answers PORT PATH [own]: all three components tell everybody of this machine how they are, as the kubelet's probes ask. `own`: it shows a
# certificate of its own making. By curl where there is one: kubectl costs a small processor half a second.
answers() {
  local url=https://127.0.0.1:$1 path=$2 curl_trust=(--cacert /etc/kubernetes/pki/ca.crt) kubectl_trust=()
  if [[ ${3:-} == own ]]; then
    curl_trust=(--insecure)
    kubectl_trust=(--insecure-skip-tls-verify)
  fi
  if command -v curl > /dev/null; then
    curl --disable --silent --fail --output /dev/null --max-time 5 --noproxy '*' "${curl_trust[@]}" "$url$path"
  else
    kubectl --kubeconfig "$admin_conf" --server "$url" "${kubectl_trust[@]}" --request-timeout=5s get --raw "$path" > /dev/null 2>&1
  fi
}

# Sets `unready` to what on this machine is not ready.
control_plane_ready() {
  unready="the apiserver"
  # The machine's own: the endpoint may lead to another one.
  answers "$API_PORT" /readyz || return
  unready="the controller manager"
  answers 10257 /healthz own || return
  unready="the scheduler"
  answers 10259 /healthz own
}

# Sets `etcd` to what the member on this machine knows of etcd: its own list, asked without the others, and who of them answers.
# Texts, since the ids are larger than the numbers of JavaScript.
read_etcd() {
  local list statuses
  etcd=null
  list=$(etcdctl --command-timeout=10s member list --consistency=s --write-out=json 2>/dev/null) || return 0
  # Fails when one of them does not answer, and tells the others all the same.
  statuses=$(etcdctl_at "$(client_endpoints "$list")" --command-timeout=5s endpoint status --write-out=json 2>/dev/null) || true
  etcd="{\"list\":$(json_string "$list"),\"statuses\":$(json_string "$statuses")}"
}

stage_inspect() {
  local state recovering=false ready=false ca="" kept="" etcd=null owner
  state=$(control_plane_state)
  read_owner
  # What was given back and is part of another cluster by now.
  [[ ! $owner || $owner == "$OWNER" ]] || state=foreign
  case $state in
    none | unfinished) ! control_plane_job_runs || state=working ;;
  esac
  if [[ $state == member ]]; then
    # One that is busy and misses a question has not drifted.
    if wait_until 30 "the control plane to be ready" control_plane_ready; then ready=true; else drift "$unready on $NODE_NAME is not ready"; fi
    systemctl is-active --quiet kubelet || drift "kubelet is not running on $NODE_NAME"
    [[ ! -s /etc/kubernetes/pki/ca.crt ]] || ca=$(base64 -w0 /etc/kubernetes/pki/ca.crt)
  else
    drift "$NODE_NAME runs no control plane"
    [[ ! -s $kept_keys/ca.crt ]] || kept=$(base64 -w0 "$kept_keys/ca.crt")
  fi
  [[ $state == none || $state == foreign ]] || read_etcd
  [[ ! -e $recovery_mark ]] || recovering=true
  print_inspection control-plane \
    "{\"state\":$(json_string "$state"),\"recovering\":$recovering,\"ready\":$ready,\"caCert\":$(json_string "$ca"),\"keptCaCert\":$(json_string "$kept"),\"etcd\":$etcd}"
}

stage_apply() {
  local state
  state=$(control_plane_state)
  # Somebody else may have been at work while this waited for its turn.
  [[ $state == "$EXPECTED" || $state == member || $state == foreign ]] ||
    fail "$NODE_NAME was seen with a control plane that is '$EXPECTED', and now it is '$state'" "see that nobody else works on this cluster, and run 'pulumi up' again: it looks anew"
  case $state in
    member) progress "taking up the control plane that is there" ;;
    none | unfinished) begin ;;
    foreign)
      fail "$NODE_NAME holds a control plane that this kit did not make, or has lost its own mark of it" \
        "keep it, and take the machine out of the settings; or run 'kubeadm reset' on it, which destroys that cluster's data, and 'pulumi up' again"
      ;;
  esac
  [[ -s $admin_conf ]] || fail "$admin_conf is gone from $NODE_NAME" "put it back with 'kubeadm init phase kubeconfig admin' on $NODE_NAME, and run 'pulumi up' again"
  systemctl is-active --quiet kubelet || systemctl start kubelet
  # A component that has died a few times is started again by the kubelet after up to five minutes.
  wait_until 480 "apiserver, controller manager and scheduler to be ready" control_plane_ready || {
    node_evidence
    fail "waited 480 s in vain for $unready on $NODE_NAME to be ready" "$usual_next"
  }
  kubectl_for_login_user
  # One that was about to leave, and stays, holds the API's address again.
  ! systemctl is-enabled --quiet keepalived 2>/dev/null || systemctl start keepalived
}

begin() {
  local config=/run/pulumi-kubeadm/job/kubeadm.yaml status=0
  [[ $KUBEADM_COMMAND ]] || fail "$NODE_NAME runs no control plane any more" "run 'pulumi up' again: it looks anew"
  if [[ -e $control_plane_begun ]]; then
    progress "clearing a kubeadm init or join that did not end"
    node_reset
  fi
  ( umask 077; printf '%s\n' "$KUBEADM_CONFIG" > "$config" )
  : > "$control_plane_begun"
  [[ $KUBEADM_COMMAND != init || ! -d $kept_keys ]] || put_keys_back
  kubeadm_progress "kubeadm $KUBEADM_COMMAND" kubeadm "$KUBEADM_COMMAND" --config "$config" || status=$?
  rm -f "$config"
  ((status == 0)) || kubeadm_failed
  : > "$control_plane_ended"
  rm -rf "$control_plane_begun" "$kept_keys"
}

kubeadm_failed() {
  local ending=fail phase="" reason=""
  [[ ! -e $kubeadm_failure ]] || { read -r phase; read -r reason; } < "$kubeadm_failure"
  # A join asks etcd for its members once, with two seconds to answer, and an election in that moment ends it (listMembers in
  # https://github.com/kubernetes/kubernetes/blob/v1.37.1/cmd/kubeadm/app/util/etcd/etcd.go).
  [[ $KUBEADM_COMMAND != join || $phase != *etcd* || ! $reason =~ deadline\ exceeded|leader\ changed|no\ leader|request\ timed\ out ]] || ending=fail_for_now
  $ending "kubeadm $KUBEADM_COMMAND failed${phase:+ in its phase $phase}" \
    "read the lines above and 'journalctl -u kubelet' on $NODE_NAME, put right what they name, and run 'pulumi up' again: it clears what this left and starts anew"
}

# kubeadm takes keys that are there: https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/#custom-certificates
put_keys_back() {
  progress "putting the cluster's CA back"
  install -d -m 755 /etc/kubernetes/pki
  cp -a -- "$kept_keys"/. /etc/kubernetes/pki/
  chmod 755 /etc/kubernetes/pki
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
