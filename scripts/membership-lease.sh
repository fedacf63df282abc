# On a control plane: the Lease of the run that changes the members of the control plane, so that no other run does at the same time.
# apply = takes it or renews it; remove = gives it back.
# https://kubernetes.io/docs/concepts/architecture/leases/
#
# Parameters: HOLDER    who asks
#             DURATION  seconds for which it is taken
#             OVER      resourceVersion of the Lease of somebody who is gone, which may be taken; empty: only a free one

control() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=20s -n kube-system "$@"; }

# Who has it after that, whether HOLDER or not.
stage_apply() {
  local holder="" since="" version="" now verb output
  read_lease
  now=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
  verb=""
  if [[ ! $version ]]; then
    verb=create since=$now
  elif [[ $holder == "$HOLDER" ]]; then
    verb=replace
  elif [[ $version == "$OVER" ]]; then
    verb=replace since=$now
  fi
  if [[ $verb ]]; then
    if output=$(manifest | control "$verb" -f - 2>&1); then
      holder=$HOLDER
    else
      # Somebody was faster.
      [[ $output == *AlreadyExists* || $output == *Conflict* ]] || fail "the Lease could not be written: $output" "run 'pulumi up' again"
      read_lease
    fi
  fi
  printf '{"holder":%s,"since":%s,"version":%s}\n' "$(json_string "$holder")" "$(json_string "$since")" "$(json_string "$version")"
}

stage_remove() {
  local holder="" since="" version=""
  read_lease
  [[ $holder != "$HOLDER" ]] || control delete lease pulumi-kubeadm-membership --ignore-not-found >&2
}

# Sets holder, since and version; version is empty when there is none.
read_lease() {
  { IFS= read -r version && IFS= read -r since && IFS= read -r holder; } < <(
    control get lease pulumi-kubeadm-membership --ignore-not-found -o 'jsonpath={.metadata.resourceVersion}{"\n"}{.spec.acquireTime}{"\n"}{.spec.holderIdentity}{"\n"}'
  ) || version="" since="" holder=""
}

manifest() {
  printf '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"pulumi-kubeadm-membership"%s},' "${version:+,\"resourceVersion\":\"$version\"}"
  printf '"spec":{"holderIdentity":%s,"leaseDurationSeconds":%d,"acquireTime":"%s","renewTime":"%s"}}\n' "$(json_string "$HOLDER")" "$DURATION" "$since" "$now"
}
