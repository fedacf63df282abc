# On a control plane: a bootstrap token for one join, and its removal afterwards.
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-token/
#
# Parameters: JOINER     name of the node that will join
#             TOKEN_ID   for remove: the first part of the token, which is no secret

stage_apply() {
  local token
  token=$(kubeadm --kubeconfig /etc/kubernetes/admin.conf token create --ttl 15m --description "pulumi-kubeadm: $JOINER joins")
  printf '{"token":%s,"caCert":%s}\n' "$(json_string "$token")" "$(json_string "$(< /etc/kubernetes/pki/ca.crt)")"
}

stage_remove() { kubeadm --kubeconfig /etc/kubernetes/admin.conf token delete "$TOKEN_ID" >&2; }
