# On a control plane: what `pulumi-kubeadm status` shows of it and scripts/control-plane.sh does not tell; or, asked for them, the nodes.
#
# Parameters: ENDPOINT_VIP  address that keepalived moves; empty without one
#             ASK_NODES     yes: only what the cluster says of its nodes, through this machine

config_dir=/etc/kubernetes
pki=$config_dir/pki
kubelet_certificate=/var/lib/kubelet/pki/kubelet-client-current.pem

stage_inspect() {
  local list
  if [[ $ASK_NODES ]]; then
    list=$(nodes)
    print_inspection status "{\"nodes\":$(json_string "$list")}"
  else
    print_inspection status "{\"certificates\":[$(certificates)],\"holdsVip\":$(holds_vip)}"
  fi
}

# A line for each: name, Ready's status, `true` when it takes no new pods, version of the kubelet.
nodes() {
  kubectl --kubeconfig "$config_dir/admin.conf" --request-timeout=20s get nodes -o \
    'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.conditions[?(@.type=="Ready")].status}{"\t"}{.spec.unschedulable}{"\t"}{.status.nodeInfo.kubeletVersion}{"\n"}{end}'
}

holds_vip() {
  if [[ $ENDPOINT_VIP && $(ip -oneline -4 address show to "$ENDPOINT_VIP/32" 2>/dev/null) ]]; then printf true; else printf false; fi
}

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
