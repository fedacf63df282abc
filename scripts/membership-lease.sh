# On a control plane: the Lease of the run that changes the members of the control plane, so that no other run does at the same time.
# apply = takes it or renews it; remove = gives it back.
# https://kubernetes.io/docs/concepts/architecture/leases/
#
# Parameters: HOLDER    who asks
#             DURATION  seconds for which it is taken
#             OVER      resourceVersion of the Lease of somebody who is gone, which may be taken; empty: only a free one

control() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=20s -n kube-system "$@"; }

# Prints who has it after that, whether HOLDER or not.
stage_apply() {
  local holder since version now attempt
  for attempt in 1 2 3; do
    read_lease
    if take_or_renew; then
      printf '{"holder":%s,"since":%s,"version":%s}\n' "$(json_string "$holder")" "$(json_string "$since")" "$(json_string "$version")"
      return
    fi
    progress "somebody was faster, attempt $attempt"
  done
  fail "the Lease of membership changes is taken and given back all the time" "see who else works on this cluster, and run 'pulumi up' again"
}

# False when the Lease has changed since it was read.
take_or_renew() {
  local verb output
  now=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
  if [[ ! $version ]]; then
    verb=create since=$now
  elif [[ $holder == "$HOLDER" ]]; then
    verb=replace
  elif [[ $version == "$OVER" ]]; then
    verb=replace since=$now
  else
    return 0
  fi
  if output=$(manifest | control "$verb" -f - 2>&1); then
    holder=$HOLDER
    return 0
  fi
  [[ $output == *AlreadyExists* || $output == *Conflict* || $output == *NotFound* ]] || fail "the Lease of membership changes could not be written: $output" "run 'pulumi up' again"
  return 1
}

# Only the Lease that was read: by now it may be somebody else's.
stage_remove() {
  local holder since version output
  read_lease
  [[ $version && $holder == "$HOLDER" ]] || return 0
  output=$(printf '{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"resourceVersion":"%s"}}' "$version" |
    control delete --raw "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/pulumi-kubeadm-membership" -f - 2>&1) ||
    [[ $output == *Conflict* || $output == *NotFound* ]] || fail "the Lease of membership changes could not be deleted: $output" "nothing: it ends by itself"
}

# Sets holder, since and version; all are empty when there is none.
read_lease() {
  local text
  text=$(control get lease pulumi-kubeadm-membership --ignore-not-found -o 'jsonpath={.metadata.resourceVersion}{"\n"}{.spec.acquireTime}{"\n"}{.spec.holderIdentity}')
  { read -r version; read -r since; read -r holder; } <<< "$text" || true
}

manifest() {
  printf '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"pulumi-kubeadm-membership"%s},' "${version:+,\"resourceVersion\":\"$version\"}"
  printf '"spec":{"holderIdentity":%s,"leaseDurationSeconds":%d,"acquireTime":"%s","renewTime":"%s"}}\n' "$(json_string "$HOLDER")" "$DURATION" "$since" "$now"
}
