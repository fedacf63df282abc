# What kubeadm names as the phase that failed.
kubeadm_failed_phase=/run/pulumi-kubeadm/job/failed-phase

# kubeadm_progress TITLE COMMAND…: its phases become progress. Bootstrap tokens are masked: the log outlives them, but for little.
kubeadm_progress() {
  local title=$1 line phase=""
  shift
  rm -f "$kubeadm_failed_phase"
  "$@" 2>&1 | while IFS= read -r line; do
    if [[ $line =~ (^|[^a-z0-9])([a-z0-9]{6}\.[a-z0-9]{16})($|[^a-z0-9]) ]]; then line=${line//"${BASH_REMATCH[2]}"/[token]}; fi
    if [[ $line =~ ^\[([a-z-]+)\] && ${BASH_REMATCH[1]} != "$phase" ]]; then
      phase=${BASH_REMATCH[1]}
      progress "$title: $phase"
    fi
    [[ ! $line =~ ^error:\ error\ execution\ phase\ ([a-z/-]+): ]] || printf '%s' "${BASH_REMATCH[1]}" > "$kubeadm_failed_phase"
    printf '%s\n' "$line" >&2
  done
}
