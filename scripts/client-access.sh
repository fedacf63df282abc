# On a control plane: who may do what in the cluster, and a client certificate for one of them. The private key is made elsewhere and
# never comes here. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
#
# Parameters: OBJECTS       YAML of roles and bindings, which are put back as they are here
#             REQUEST       YAML of a CertificateSigningRequest; empty where no certificate is wanted
#             REQUEST_NAME  its name

control() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=60s "$@"; }

stage_apply() {
  local certificate=""
  control apply --filename=- <<< "$OBJECTS" >&2
  [[ -z $REQUEST ]] || sign
  printf '{"caCert":%s,"certificate":"%s"}\n' "$(json_string "$(< /etc/kubernetes/pki/ca.crt)")" "$certificate"
}

# Sets `certificate` to PEM in base64, as the API gives it.
sign() {
  # One of the same name is what an earlier run left.
  control delete certificatesigningrequest "$REQUEST_NAME" --ignore-not-found >&2
  control create --filename=- <<< "$REQUEST" >&2
  control certificate approve "$REQUEST_NAME" >&2
  wait_until 60 "the cluster to sign the certificate" is_signed || {
    control get certificatesigningrequest "$REQUEST_NAME" --output 'jsonpath={.status.conditions}' >&2 || true
    fail "the cluster did not sign the certificate $REQUEST_NAME within 60 s" "see whether kube-controller-manager runs (\`kubectl -n kube-system get pods\`), and run the command again"
  }
  control delete certificatesigningrequest "$REQUEST_NAME" >&2
}

is_signed() {
  certificate=$(control get certificatesigningrequest "$REQUEST_NAME" --output 'jsonpath={.status.certificate}') && [[ $certificate ]]
}
