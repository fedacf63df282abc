# On a control plane: what one join needs, for minutes only, and its removal afterwards. A control plane needs the cluster's
# certificates too, which are uploaded encrypted, with a key that is made for this one join.
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-token/
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-init-phase/#cmd-phase-upload-certs
#
# Parameters: JOINER           name of the node that will join
#             UPLOAD_CONFIG    v1beta4 documents with the certificate key; empty for a worker
#             CERTIFICATE_KEY  that key alone, so that it is masked
#             TOKEN_ID         for remove: the first part of the token, which is no secret

control() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=60s "$@"; }

# An apiserver that is busy, or whose etcd elects, may fail a request, and answers the next one.
seconds_to_answer=60

stage_apply() {
  local token output
  need_work_dir
  [[ -z $UPLOAD_CONFIG ]] || upload_certificates
  wait_until "$seconds_to_answer" "the apiserver to take a token" token_created ||
    fail "no token could be made for the join:$newline$output" "put right what it names, and run 'pulumi up' again"
  printf '{"token":%s,"caCert":%s}\n' "$(json_string "$token")" "$(json_string "$(< /etc/kubernetes/pki/ca.crt)")"
}

# Sets `token`; `output` to why there is none.
token_created() {
  token=$(timeout 60 kubeadm --kubeconfig /etc/kubernetes/admin.conf token create --ttl 15m --description "pulumi-kubeadm: $JOINER joins" 2> "$work_dir/errors") && return
  output=$(< "$work_dir/errors")
  return 1
}

upload_certificates() {
  ( umask 077; printf '%s\n' "$UPLOAD_CONFIG" > "$work_dir/upload.yaml" )
  wait_until "$seconds_to_answer" "the apiserver to take the certificates" certificates_uploaded ||
    fail "the cluster's certificates could not be uploaded for the join:$newline${output//"$CERTIFICATE_KEY"/***}" "put right what it names, and run 'pulumi up' again"
}

# Sets `output`; it may hold the key.
certificates_uploaded() {
  output=$(timeout 60 kubeadm init phase upload-certs --upload-certs --skip-certificate-key-print --config "$work_dir/upload.yaml" 2>&1)
}

stage_remove() {
  local owner
  kubeadm --kubeconfig /etc/kubernetes/admin.conf token delete "$TOKEN_ID" >&2
  # The certificates belong to a token of kubeadm's own, made to end them after two hours.
  owner=$(control -n kube-system get secret kubeadm-certs --ignore-not-found -o 'jsonpath={.metadata.ownerReferences[*].name}')
  control -n kube-system delete secret kubeadm-certs --ignore-not-found >&2
  [[ -z $owner ]] || control -n kube-system delete secret "$owner" --ignore-not-found >&2
}
