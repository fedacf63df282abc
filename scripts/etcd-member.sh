# On a control plane that stays: takes another member out of etcd.
# https://etcd.io/docs/v3.6/op-guide/runtime-configuration/#remove-a-member
#
# Parameters: MEMBER_ID    hexadecimal, as etcd lists it
#             MEMBER_NAME  for messages
#             LEADER_TO    id of the member that is to lead instead, when this one leads; else empty

# An election may end the request, done or not, so the list alone tells.
seconds_to_remove=60

listed() {
  local list
  list=$(etcdctl --command-timeout=30s member list) ||
    fail "etcd did not tell its members" "look at 'crictl logs' of etcd here, bring etcd to health, and run 'pulumi up' again"
  [[ $newline$list == *"$newline$MEMBER_ID,"* ]]
}

stage_remove() {
  if ! listed; then
    progress "$MEMBER_NAME is no member any more"
    return
  fi
  [[ -z $LEADER_TO ]] || move_leader
  progress "removing $MEMBER_NAME from etcd"
  wait_until "$seconds_to_remove" "etcd to let $MEMBER_NAME go" removed ||
    fail "etcd still lists $MEMBER_NAME after its removal" "read the lines above and run 'pulumi up' again: it looks anew"
}

removed() {
  etcdctl --command-timeout=30s member remove "$MEMBER_ID" >&2 || true
  ! listed
}

# Without it etcd elects a leader when this one leaves, and takes no write meanwhile.
move_leader() {
  local list
  progress "moving etcd's leadership away from $MEMBER_NAME"
  list=$(etcdctl --command-timeout=10s member list --write-out=json)
  etcdctl_at "$(client_endpoints "$list")" --command-timeout=30s move-leader "$LEADER_TO" >&2 ||
    progress "the leadership stays with $MEMBER_NAME until it has left"
}
