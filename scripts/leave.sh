# On a control plane that is about to leave: hands the API's floating address to another one, before its own apiserver ends.
#
# Parameters: none

stage_apply() {
  systemctl is-active --quiet keepalived || return 0
  # It tells its peers that it goes, so that one of them takes over at once.
  systemctl stop keepalived
}
