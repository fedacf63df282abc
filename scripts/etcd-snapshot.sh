# On a control plane: a snapshot of etcd, verified and kept with its checksum.
# https://etcd.io/docs/v3.6/op-guide/recovery/#snapshotting-the-keyspace
#
# Parameters: NODE_NAME           for messages
#             SNAPSHOT_DIRECTORY  where it is kept; every Secret of the cluster is in it, so only root may read it

data_dir=/var/lib/etcd
most_snapshots=5

stage_apply() {
  local saved kept time
  etcd_running || fail "no etcd runs on $NODE_NAME" "bring it up (\`crictl ps -a\` and \`journalctl -u kubelet\` tell why it is down), and run the command again"
  umask 077
  mkdir -p -- "$SNAPSHOT_DIRECTORY" ||
    fail "$SNAPSHOT_DIRECTORY cannot be made on $NODE_NAME" "choose another etcd.snapshotDirectory, or make way for this one, and run the command again"
  chmod 0700 -- "$SNAPSHOT_DIRECTORY"
  # etcd's container sees nothing else of the machine that can be written to. What an earlier snapshot left half-way goes.
  work_dir=$data_dir/pulumi-kubeadm-snapshot
  rm -rf -- "$work_dir" "$SNAPSHOT_DIRECTORY"/etcd-*.db"$part_suffix"
  mkdir -- "$work_dir"
  saved=$work_dir/snapshot.db

  need_room "$data_dir"
  need_room "$SNAPSHOT_DIRECTORY"
  progress "taking a snapshot of etcd"
  etcdctl snapshot save "$saved" >&2 ||
    fail "etcd on $NODE_NAME gave no snapshot" "read the lines above, bring etcd to health (\`crictl ps -a\`), and run the command again"

  TZ=UTC printf -v time '%(%Y%m%dT%H%M%SZ)T' -1
  kept=$SNAPSHOT_DIRECTORY/etcd-$time.db
  if ! mv -- "$saved" "$kept$part_suffix"; then
    rm -f -- "$kept$part_suffix"
    fail "the snapshot could not be put into $SNAPSHOT_DIRECTORY on $NODE_NAME" "look at its file system (\`df $SNAPSHOT_DIRECTORY\`), and run the command again"
  fi
  progress "verifying the snapshot"
  verify "$kept$part_suffix"
  publish "$kept"
  prune "$kept"
}

# need_room DIRECTORY: twice what the database takes now, since it goes on growing meanwhile.
need_room() {
  local size free
  size=$(stat -c %s "$data_dir/member/snap/db")
  free=$(df --output=avail -B1 -- "$1")
  free=${free##*[!0-9]}
  ((free >= 2 * size)) ||
    fail "$1 on $NODE_NAME has $((free >> 20)) MiB free, and a snapshot of etcd's $((size >> 20)) MiB wants twice that" \
      "free space there, and run the command again"
}

# verify FILE: the last 32 bytes of a snapshot are the SHA-256 of all before them.
# https://github.com/etcd-io/etcd/blob/v3.6.0/server/etcdserver/api/v3rpc/maintenance.go
verify() {
  local size digest told
  size=$(stat -c %s "$1")
  if ((size > 32)); then
    digest=$(head -c "$((size - 32))" "$1" | sha256sum)
    told=$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \n')
    [[ ${digest%% *} != "$told" ]] || return 0
  fi
  rm -f -- "$1"
  fail "the snapshot of etcd on $NODE_NAME is damaged: $size bytes that do not match the checksum at their end" \
    "run the command again; if it stays so, look at the machine's disk (\`dmesg\`)"
}

# publish FILE: under its name it is whole and has its checksum beside it, in the form of `sha256sum --check`.
publish() {
  local file=$1 digest
  digest=$(sha256sum < "$file$part_suffix")
  digest=${digest%% *}
  printf '%s  %s\n' "$digest" "${file##*/}" > "$file.sha256"
  chmod 0600 -- "$file$part_suffix" "$file.sha256"
  sync -- "$file$part_suffix" "$file.sha256"
  mv -f -- "$file$part_suffix" "$file"
  sync -- "$SNAPSHOT_DIRECTORY"
  result "{\"path\":$(json_string "$file"),\"sha256\":\"$digest\",\"bytes\":$(stat -c %s "$file")}"
}

# prune FILE: it stays, and of the others that bear our name the newest; they sort by their time.
prune() {
  local file others=()
  for file in "$SNAPSHOT_DIRECTORY"/etcd-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.db; do
    [[ $file == "$1" ]] || others+=("$file")
  done
  while ((${#others[@]} >= most_snapshots)); do
    rm -f -- "${others[0]}" "${others[0]}.sha256"
    others=("${others[@]:1}")
  done
}
