# What kubeadm says of its failure: the phase, and why, a line each.
kubeadm_failure=/run/pulumi-kubeadm/job/kubeadm-failure

# kubeadm_progress TITLE COMMAND…: its phases become progress. Bootstrap tokens are masked: the log outlives them, but for little.
kubeadm_progress() {
  local title=$1 line phase=""
  shift
  rm -f "$kubeadm_failure"
  "$@" 2>&1 | while IFS= read -r line; do
    if [[ $line =~ (^|[^a-z0-9])([a-z0-9]{6}\.[a-z0-9]{16})($|[^a-z0-9]) ]]; then line=${line//"${BASH_REMATCH[2]}"/[token]}; fi
    if [[ $line =~ ^\[([a-z-]+)\] && ${BASH_REMATCH[1]} != "$phase" ]]; then
      phase=${BASH_REMATCH[1]}
      progress "$title: $phase"
    fi
    [[ ! $line =~ ^(error:\ )?error\ execution\ phase\ ([a-z/-]+):\ (.*)$ ]] || printf '%s\n' "${BASH_REMATCH[@]:2}" > "$kubeadm_failure"
    printf '%s\n' "$line" >&2
  done
}
