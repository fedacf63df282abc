# A cluster, or a part of one, on the machine, and whether somebody made it by hand.

# Files that only a machine has that is, or was, part of a cluster.
list_cluster_files() {
  cluster_files=(/etc/kubernetes/*.conf /etc/kubernetes/manifests/*.yaml /etc/kubernetes/pki/ca.[c]rt /var/lib/etcd/membe[r])
}

# True when there is a cluster, or a part of one, that none of our kubeadm runs made.
made_by_hand() {
  local cluster_files
  [[ ! -e $control_plane_begun && ! -e $control_plane_ended && ! -e $worker_begun ]] || return 1
  list_cluster_files
  ((${#cluster_files[@]} > 0))
}

# What somebody made by hand, as a JSON document. What cannot be told is left empty, or null.
describe_made_by_hand() {
  local role=worker version="" text certificate="" since cluster_files namespaces=null pods=null
  local apiserver=/etc/kubernetes/manifests/kube-apiserver.yaml pem='-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----'
  list_cluster_files
  since=$(stat -c %Y -- "${cluster_files[@]}" | sort -n | head -n 1)
  if [[ -e $apiserver || -e /etc/kubernetes/admin.conf || -d /var/lib/etcd/member ]]; then
    role=control-plane
    if read_file "$apiserver" && [[ $text =~ kube-apiserver:v([0-9.]+) ]]; then version=${BASH_REMATCH[1]}; fi
    namespaces=$(count_objects namespaces) pods=$(count_objects pods)
  elif command -v kubelet > /dev/null; then
    version=$(kubelet --version 2>/dev/null) || true
    version=${version#Kubernetes v}
  fi
  # The kubelet's certificate has the name of the node; the key in the same file stays.
  if read_file /var/lib/kubelet/pki/kubelet-client-current.pem && [[ $text =~ $pem ]]; then certificate=${BASH_REMATCH[0]}; fi
  printf '{"role":"%s","version":%s,"certificate":%s,"since":%s,"namespaces":%s,"pods":%s}' \
    "$role" "$(json_string "$version")" "$(json_string "$certificate")" "$since" "$namespaces" "$pods"
}

# count_objects KIND: in all namespaces; null when no apiserver tells.
count_objects() {
  local names
  names=$(kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get "$1" --all-namespaces -o name 2>/dev/null) || { printf null && return; }
  if [[ $names ]]; then mapfile -t names <<< "$names"; else names=(); fi
  printf '%s' "${#names[@]}"
}
