# On a control plane, when etcd has lost its quorum for good: makes this machine its only member, from the data that is there or from a
# snapshot; or stops etcd, on the others. How it was before is kept. Killed half-way and run again it goes on.
# https://etcd.io/docs/v3.6/op-guide/recovery/
#
# Parameters: PHASE      stop: etcd ends here, so that it cannot go on with the old cluster; its data stays
#                        prepare: all checks, and the snapshot restored beside etcd's data; what runs is not touched
#                        recover: the recovery itself
#             NODE_NAME  for messages; the following only for prepare and recover
#             API_PORT   port of the apiserver
#             SNAPSHOT   file on this machine; empty: from the data that is there
#             NODES      names of the other control planes' nodes, separated by spaces

manifests=/etc/kubernetes/manifests
data_dir=/var/lib/etcd
# These go with the data when the machine is reset. The mark names the directory in which it is kept how the machine was.
restored=$data_dir/pulumi-kubeadm-restored
all_pods=(etcd kube-apiserver kube-controller-manager kube-scheduler)
force_flag=--force-new-cluster

stage_inspect() {
  local kept bytes=null
  read_kept
  [[ ! $SNAPSHOT || ! -f $SNAPSHOT ]] || bytes=$(stat -c %s "$SNAPSHOT")
  print_inspection etcd-recover "{\"unfinished\":$(json_string "$kept"),\"snapshotBytes\":$bytes}"
}

stage_apply() {
  local kept source manifest name peer image
  read_kept
  if [[ $PHASE == stop ]]; then
    stop
    return
  fi
  read_source
  need_control_plane
  read_etcd_manifest
  case $PHASE in
    prepare) is_in_place || prepare ;;
    recover) recover ;;
  esac
}

# Sets `kept`; empty when no recovery was begun and not ended.
read_kept() {
  kept=""
  [[ ! -s $recovery_mark ]] || read -r kept < "$recovery_mark"
}

# Sets `source`: what etcd's data is to come from.
read_source() {
  source=data
  [[ $SNAPSHOT ]] || return 0
  [[ -s $SNAPSHOT ]] || fail "there is no snapshot $SNAPSHOT on $NODE_NAME" "name one that is there, or a file on your computer, and run the command again"
  source=$(sha256sum < "$SNAPSHOT")
  source="snapshot ${source%% *}"
}

# A snapshot holds neither the cluster's CAs nor the keys of its service accounts.
need_control_plane() {
  [[ -e $control_plane_ended && -s /etc/kubernetes/pki/ca.key && -s /etc/kubernetes/pki/etcd/ca.key && -s /etc/kubernetes/pki/sa.key ]] ||
    fail "$NODE_NAME does not hold the cluster's certificates and keys any more (/etc/kubernetes/pki)" \
      "recover on another control plane; where none has them, put a backup of /etc/kubernetes/pki back first"
}

# Sets `manifest` to the text of etcd's own, and `name`, `peer` and `image` to what is in it.
read_etcd_manifest() {
  local file text
  for file in "$kept/manifests/etcd.yaml" "$manifests/etcd.yaml"; do ! read_file "$file" || break; done
  manifest=$text name="" peer="" image=""
  [[ ! $text =~ --name=([^[:space:]]+) ]] || name=${BASH_REMATCH[1]}
  [[ ! $text =~ --initial-advertise-peer-urls=([^[:space:]]+) ]] || peer=${BASH_REMATCH[1]}
  [[ ! $text =~ [[:space:]]image:\ ([^[:space:]]+) ]] || image=${BASH_REMATCH[1]}
  [[ $name && $peer && $image && $text =~ $newline([[:space:]]+)-\ etcd$newline && $text != *"$force_flag"* ]] ||
    fail "$manifests/etcd.yaml on $NODE_NAME is not the manifest that kubeadm writes" \
      "put it back (\`kubeadm init phase etcd local\` writes one for a first member), without $force_flag, and run the command again"
}

# Whether the data of this source is what etcd runs on: an earlier run came that far.
is_in_place() { [[ $kept ]] && file_is "$kept/in-place" "$source$newline"; }

# ---------------------------------------------------------------------------------------------------------------------------------
# Prepare

prepare() {
  local size=0 used
  if [[ -d $data_dir/member ]]; then
    used=$(du -sb "$data_dir/member")
    size=${used%%"$tab"*}
  elif [[ $source == data ]]; then
    fail "$data_dir/member is gone from $NODE_NAME: there is no data to recover from" "recover on another control plane, or from a snapshot with --snapshot"
  fi
  [[ $kept && -d $kept/etcd ]] || need_room "$state_dir" "$size"
  [[ $source == data ]] || restore
}

# need_room DIRECTORY BYTES
need_room() {
  local free
  free=$(df --output=avail -B1 -- "$1")
  free=${free##*[!0-9]}
  ((free > $2)) || fail "$1 on $NODE_NAME has $((free >> 20)) MiB free, and $(($2 >> 20)) MiB are needed" "free space there, and run the command again"
}

restore() {
  local time size
  size=$(stat -c %s "$SNAPSHOT")
  # Beside the database a log, whose files are laid out at their full size.
  need_room "$data_dir" $((2 * size + (256 << 20)))
  rm -rf -- "$restored"
  TZ=UTC printf -v time '%(%Y%m%dT%H%M%SZ)T' -1
  progress "restoring the snapshot beside etcd's data"
  # A token of its own makes another cluster of it, with which no member of the old one can talk. Whoever watches the API must see that
  # what they know is out of date: https://etcd.io/docs/v3.6/op-guide/recovery/#restoring-with-revision-bump
  run_etcdutl snapshot restore "$SNAPSHOT" --data-dir "$restored" --name "$name" --initial-cluster "$name=$peer" \
    --initial-advertise-peer-urls "$peer" --initial-cluster-token "pulumi-kubeadm-$time" --bump-revision 1000000000 --mark-compacted >&2 || {
    rm -rf -- "$restored"
    fail "the snapshot $SNAPSHOT could not be restored" "read the lines above; take another snapshot when this one is damaged, and run the command again"
  }
}

# run_etcdutl ARGUMENT…: that of the machine, or of etcd's image.
run_etcdutl() {
  local mounted=/run/pulumi-kubeadm-etcd-image path status=1
  if command -v etcdutl > /dev/null; then
    etcdutl "$@"
    return
  fi
  mkdir -p "$mounted"
  ctr --namespace k8s.io images mount "$image" "$mounted" >&2 || true
  path=("$mounted"/{usr/local/bin,usr/bin,bin,.}/etcdut[l])
  if ((${#path[@]} > 0)); then
    status=0
    "${path[0]}" "$@" || status=$?
  fi
  ctr --namespace k8s.io images unmount --rm "$mounted" >&2 || true
  rmdir "$mounted" || true
  ((${#path[@]} > 0)) ||
    fail "there is no etcdutl on $NODE_NAME, and none in the image $image" \
      "put the etcdutl of etcd's release archive (https://github.com/etcd-io/etcd/releases, the version of that image) to /usr/local/bin/etcdutl on $NODE_NAME, executable, and run the command again"
  return "$status"
}

# ---------------------------------------------------------------------------------------------------------------------------------
# Stop and recover

stop() {
  [[ -e $manifests/etcd.yaml ]] || return 0
  # A kubelet that is not set up yet runs nothing.
  systemctl start containerd kubelet || true
  [[ $kept ]] || begin
  stop_pods etcd
}

recover() {
  systemctl start containerd kubelet
  [[ $kept ]] || begin
  if ! is_in_place; then
    if [[ $source == data ]]; then
      stop_pods etcd
      keep_data
      force_single_member
    else
      stop_pods "${all_pods[@]}"
      keep_data
      place_restored
    fi
    printf '%s\n' "$source" > "$kept/in-place"
    sync "$kept/in-place"
  fi
  put_back
  progress "starting etcd as its only member"
  wait_until 300 "etcd on $NODE_NAME to be a cluster of one" runs_alone || in_vain
  wait_until 300 "the apiserver on $NODE_NAME to be ready" apiserver_ready || in_vain
  delete_nodes
  rm -f -- "$recovery_mark"
  result "{\"kept\":$(json_string "$kept")}"
}

# The end after a wait in vain.
in_vain() {
  node_evidence
  fail_in_vain "put right what keeps it, and run the command again: it goes on from there"
}

# From here on a run that ends half-way leaves the mark.
begin() {
  local time
  umask 077
  TZ=UTC printf -v time '%(%Y%m%dT%H%M%SZ)T' -1
  kept=$state_dir/recover-$time
  progress "keeping how $NODE_NAME is now in $kept"
  mkdir -p -- "$kept/manifests"
  cp -a -- "$manifests"/*.yaml "$kept/manifests/"
  printf '%s\n' "$kept" > "$recovery_mark.new"
  sync "$kept/manifests"/* "$recovery_mark.new"
  mv -f -- "$recovery_mark.new" "$recovery_mark"
  umask 022
}

# stop_pods NAME…: kubelet ends a static pod whose manifest is gone.
stop_pods() {
  local name
  progress "stopping $*"
  for name in "$@"; do rm -f -- "$manifests/$name.yaml"; done
  wait_until 180 "kubelet to stop $*" pods_gone "$@" || {
    put_back
    in_vain
  }
}

pods_gone() {
  local names=$* running
  running=$(crictl --runtime-endpoint "unix://$runtime_socket" --timeout 20s ps --quiet --state Running --name "^(${names// /|})\$" 2>/dev/null) && [[ ! $running ]]
}

# The first copy stays: it is how it was before anything was tried.
keep_data() {
  [[ ! -d $kept/etcd ]] || return 0
  rm -rf -- "$kept/etcd.part"
  mkdir -m 0700 -- "$kept/etcd.part"
  progress "copying etcd's data to $kept/etcd"
  if [[ -d $data_dir/member ]] && ! cp -a -- "$data_dir/member" "$kept/etcd.part/"; then
    rm -rf -- "$kept/etcd.part"
    put_back
    fail "etcd's data could not be copied to $kept on $NODE_NAME" "look at its file system (\`df $state_dir\`), and run the command again; etcd was started again as it was"
  fi
  sync --file-system "$kept/etcd.part"
  mv -- "$kept/etcd.part" "$kept/etcd"
}

place_restored() {
  rm -rf -- "$data_dir/member"
  mv -T -- "$restored/member" "$data_dir/member"
  rm -rf -- "$restored"
}

# etcd leaves all the others out of its member list when it is started like this, once.
force_single_member() {
  local indent
  [[ $manifest =~ $newline([[:space:]]+)-\ etcd$newline ]]
  indent=${BASH_REMATCH[1]}
  progress "starting etcd with $force_flag"
  put_manifest etcd "${manifest/"$newline$indent- etcd$newline"/"$newline$indent- etcd$newline$indent- $force_flag$newline"}"
  wait_until 300 "etcd on $NODE_NAME to be a cluster of one" is_alone && return
  node_evidence
  etcd_evidence
  put_back
  fail "etcd on $NODE_NAME did not start as the only member from the data that is there" \
    "read the lines above; run the command again, on another control plane or from a snapshot with --snapshot. The data as it was is in $kept/etcd"
}

# Its list, which it gives only when there is a quorum, names itself alone, as a voter.
is_alone() {
  local list
  list=$(etcdctl --command-timeout=5s member list 2>/dev/null) && [[ $list != *"$newline"* && $list == *", started, $name, "*", false" ]]
}

# As is_alone, and not in the container that was started with the flag.
runs_alone() {
  local container
  container=$(etcd_container) &&
    [[ $(crictl --runtime-endpoint "unix://$runtime_socket" inspect "$container" 2>/dev/null) != *"$force_flag"* ]] &&
    is_alone
}

# Asks the machine's own apiserver: the endpoint may lead to another one, or nowhere yet.
control() { kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://127.0.0.1:$API_PORT" "$@" >/dev/null 2>&1; }

apiserver_ready() { control --request-timeout=5s get --raw /readyz; }

# A node that still counts as Ready would keep its machine from joining again, and the pods that seem to run on it tell a join where
# etcd is.
delete_nodes() {
  [[ $NODES ]] || return 0
  progress "deleting the nodes $NODES"
  # shellcheck disable=SC2086 # words
  wait_until 60 "the nodes $NODES to be deleted" control --request-timeout=20s delete node --ignore-not-found --wait=false $NODES && return
  warning "delete them by hand: kubectl delete node $NODES"
}

etcd_evidence() {
  local container
  container=$(crictl --runtime-endpoint "unix://$runtime_socket" ps --all --quiet --latest --name '^etcd$' 2>/dev/null) || return 0
  [[ ! $container ]] || crictl --runtime-endpoint "unix://$runtime_socket" logs --tail 20 "$container" >&2 || true
}

# Every manifest as it was before; kubelet starts what it finds.
put_back() {
  local file text
  for file in "$kept/manifests"/*.yaml; do
    read_file "$file"
    file_is "$manifests/${file##*/}" "$text" || put_manifest "$(basename "$file" .yaml)" "$text"
  done
}

# put_manifest NAME TEXT: at once; kubelet does not look at names that begin with a dot.
put_manifest() {
  printf '%s' "$2" > "$manifests/.$1.yaml"
  chmod 0600 "$manifests/.$1.yaml"
  sync "$manifests/.$1.yaml"
  mv -f -- "$manifests/.$1.yaml" "$manifests/$1.yaml"
}
