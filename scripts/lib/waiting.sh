# Waiting for what is to be, with a deadline, and what is told when it does not come.

# wait_until SECONDS DESCRIPTION COMMAND…: until the command succeeds. 1 when it does not in that time; whether the script can go on
# without it is for the caller to say. `waited` tells then what was waited for.
wait_until() {
  local seconds=$1 description=$2 deadline=$((SECONDS + $1))
  shift 2
  "$@" && return
  progress "waiting for $description"
  until "$@"; do
    if ((SECONDS >= deadline)); then
      waited="waited $seconds s in vain for $description"
      return 1
    fi
    sleep 1
  done
}

# fail_in_vain [NEXT]: ends the script after a wait in vain.
fail_in_vain() { fail "$waited" "${1:-$usual_next}"; }

# What the kubelet and the containers say, after a wait in vain.
node_evidence() {
  journalctl --unit=kubelet --lines=30 --no-pager --output=cat >&2 || true
  crictl --runtime-endpoint "unix://$runtime_socket" ps --all >&2 || true
}
