OWNER='school/monday/lab'
# scripts/lib/

# Who uses this machine: one stack's cluster. Its remove gives the machine back, whatever the other stages had come to.
#
# Parameters: OWNER  project/stack/cluster; empty for a remove on behalf of whoever owns it

stage_inspect() {
  local owner
  read_owner
  if [[ -z $owner ]]; then
    drift "the machine belongs to no cluster, wanted $OWNER"
  elif [[ $owner != "$OWNER" ]]; then
    drift "the machine belongs to $owner, wanted $OWNER"
  fi
  print_inspection claim "{\"owner\":$(json_string "$owner")}"
}

stage_apply() {
  local owner path
  read_owner
  [[ -z $owner || $owner == "$OWNER" ]] ||
    fail "this machine belongs to $owner" "give it back there with 'pulumi destroy'; where that stack is gone, remove $owner_file by hand"
  if [[ -z $owner ]]; then
    umask 077
    mkdir -p "$state_dir"
    for path in /etc/cni/net.d/*; do printf '%s\n' "${path##*/}"; done > "$cni_before"
    printf '%s\n' "$OWNER" > "$owner_file.new"
    mv -f "$owner_file.new" "$owner_file"
    umask 022
  fi
  confirm
}

stage_remove() {
  local owner stages=() index
  read_owner
  if [[ $OWNER && $owner && $owner != "$OWNER" ]]; then
    progress "the machine belongs to $owner by now: nothing of ours is on it"
    return 0
  fi
  if [[ ! -d $state_dir ]]; then
    rm -rf /var/log/pulumi-kubeadm
    return 0
  fi
  node_reset
  [[ ! -e $state_dir/order ]] || mapfile -t stages < "$state_dir/order"
  for ((index = ${#stages[@]} - 1; index >= 0; index--)); do ledger_undo "${stages[index]}"; done
  # With what is left to undo, its ledger stays too.
  undo_ended
  rm -rf "$state_dir" /var/log/pulumi-kubeadm
}

stage_main "$@"
