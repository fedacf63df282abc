# Takes the machine out of its cluster; the stages stay.
#
# Parameters: OWNER  project/stack/cluster, whose cluster that is

stage_remove() {
  local owner
  read_owner
  if [[ $owner && $owner != "$OWNER" ]]; then
    progress "the machine belongs to $owner by now: nothing of ours is on it"
    return
  fi
  node_reset
  undo_ended
}
