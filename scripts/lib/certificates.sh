# Every certificate of the control plane, under the name that `kubeadm certs check-expiration` has for it; reading them here needs no
# apiserver. Only certificates are taken from files that hold keys too.
certificates() {
  local file name text list="" pem='-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----'
  for file in "$pki"/*.crt "$pki"/etcd/*.crt "$kubelet_certificate"; do
    read_file "$file" && [[ $text =~ $pem ]] || continue
    name=${file#"$pki"/} name=${name%.crt}
    [[ $file != "$kubelet_certificate" ]] || name=kubelet
    list+=${list:+,}$(certificate "${name//\//-}" "${BASH_REMATCH[0]}")
  done
  for file in "$config_dir"/{admin,super-admin,controller-manager,scheduler}.conf; do
    read_file "$file" && [[ $text =~ client-certificate-data:\ ([A-Za-z0-9+/=]+) ]] || continue
    list+=${list:+,}$(certificate "${file##*/}" "${BASH_REMATCH[1]}")
  done
  printf '%s' "$list"
}

# certificate NAME TEXT: PEM, or that in base64, as a kubeconfig has it.
certificate() { printf '{"name":%s,"text":%s}' "$(json_string "$1")" "$(json_string "$2")"; }
