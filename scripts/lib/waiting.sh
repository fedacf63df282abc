# Waiting for what is to be, with a deadline, and what is told when it does not come.

# wait_until SECONDS DESCRIPTION COMMAND…: until the command succeeds. Says on failure what was waited for, and gives 1.
wait_until() {
  local seconds=$1 description=$2 deadline=$((SECONDS + $1))
  shift 2
  "$@" && return
  progress "waiting for $description"
  until "$@"; do
    if ((SECONDS >= deadline)); then
      cause_text="waited $seconds s in vain for $description"
      return 1
    fi
    sleep 1
  done
}

# What the kubelet and the containers say, after a wait in vain.
node_evidence() {
  journalctl --unit=kubelet --lines=30 --no-pager --output=cat >&2 || true
  crictl --runtime-endpoint "unix://$runtime_socket" ps --all >&2 || true
}
