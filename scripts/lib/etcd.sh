# The etcd member on this machine, asked with etcd's own client.

# The container in which etcd runs; 1 when there is none.
etcd_container() {
  local container
  container=$(crictl --runtime-endpoint "unix://$runtime_socket" --timeout 20s ps --quiet --state Running --name '^etcd$' 2>/dev/null) || return 1
  container=${container%%"$newline"*}
  [[ $container ]] && printf '%s' "$container"
}

etcd_running() { etcd_container > /dev/null; }

# etcdctl_at ENDPOINTS ARGUMENT…: etcd's own etcdctl, in its container. The image has no shell, and sees no more of the machine than
# /var/lib/etcd and the certificates. Not --sync: that drops the output of a command that fails.
etcdctl_at() {
  local endpoints=$1 container
  shift
  if ! container=$(etcd_container); then
    echo "no etcd runs on this machine" >&2
    return 1
  fi
  crictl --runtime-endpoint "unix://$runtime_socket" exec "$container" etcdctl --endpoints="$endpoints" \
    --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt \
    --key=/etc/kubernetes/pki/etcd/healthcheck-client.key "$@"
}

# etcdctl ARGUMENT…: asks the member on this machine.
etcdctl() { etcdctl_at https://127.0.0.1:2379 "$@"; }

# client_endpoints LIST: where all started members of `member list --write-out=json` answer clients, parted by commas.
client_endpoints() {
  local rest=$1 endpoints=""
  while [[ $rest =~ \"clientURLs\":\[\"([^\"]+)\" ]]; do
    endpoints+=${endpoints:+,}${BASH_REMATCH[1]}
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
  printf '%s' "$endpoints"
}
