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

stage_apply() {
  local token
  [[ -z $UPLOAD_CONFIG ]] || upload_certificates
  token=$(kubeadm --kubeconfig /etc/kubernetes/admin.conf token create --ttl 15m --description "pulumi-kubeadm: $JOINER joins")
  printf '{"token":%s,"caCert":%s}\n' "$(json_string "$token")" "$(json_string "$(< /etc/kubernetes/pki/ca.crt)")"
}

upload_certificates() {
  local output
  need_work_dir
  ( umask 077; printf '%s\n' "$UPLOAD_CONFIG" > "$work_dir/upload.yaml" )
  # It prints the key.
  output=$(kubeadm init phase upload-certs --upload-certs --skip-certificate-key-print --config "$work_dir/upload.yaml" 2>&1) ||
    fail "the cluster's certificates could not be uploaded for the join:$newline${output//"$CERTIFICATE_KEY"/***}" "put right what it names, and run 'pulumi up' again"
}

stage_remove() {
  local owner
  kubeadm --kubeconfig /etc/kubernetes/admin.conf token delete "$TOKEN_ID" >&2
  # The certificates belong to a token of kubeadm's own, made to end them after two hours.
  owner=$(control -n kube-system get secret kubeadm-certs --ignore-not-found -o 'jsonpath={.metadata.ownerReferences[*].name}')
  control -n kube-system delete secret kubeadm-certs --ignore-not-found >&2
  [[ -z $owner ]] || control -n kube-system delete secret "$owner" --ignore-not-found >&2
}
