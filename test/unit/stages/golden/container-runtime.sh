KUBERNETES_VERSION='1.37.1'
IMAGE_REPOSITORY='registry.k8s.io'
KUBERNETES_URL='http://mirror.example.com/kubernetes/v1.37/deb/'
KUBERNETES_SUITE='/'
KUBERNETES_COMPONENTS=''
KUBERNETES_KEY=''
KUBERNETES_KEY_URL='http://mirror.example.com/kubernetes/v1.37/deb/Release.key'
KUBERNETES_KEY_FINGERPRINT='DE15B14486CD377B9E876E1A234654DA9A296436'
CONTAINERD_URL='http://mirror.example.com/docker/{os}'
CONTAINERD_SUITE='{codename}'
CONTAINERD_COMPONENTS='stable'
CONTAINERD_KEY='-----BEGIN PGP PUBLIC KEY BLOCK-----

bm8ga2V5LCBidXQgdGhlIGZvcm0gb2Ygb25l
-----END PGP PUBLIC KEY BLOCK-----'
CONTAINERD_KEY_URL=''
CONTAINERD_KEY_FINGERPRINT=''
CONTAINERD_CONFIG='# Written by pulumi-kubeadm; what is changed here is put back by the next `pulumi up`.
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "SANDBOX_IMAGE"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = [ "/opt/cni/bin" ]
conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = true
'
CRICTL_CONFIG='runtime-endpoint: unix:///run/containerd/containerd.sock
image-endpoint: unix:///run/containerd/containerd.sock
timeout: 10
'
REGISTRIES='registry.k8s.io docker.io'
REGISTRY_0_HOSTS='server = "http://10.0.0.1:5000"

[host."http://10.0.0.1:5000"]
capabilities = [ "pull", "resolve" ]

'
REGISTRY_0_CA=''
REGISTRY_1_HOSTS='server = "https://registry-1.docker.io"

[host."https://harbor.example.com/v2/hub"]
capabilities = [ "pull", "resolve" ]
ca = "/etc/containerd/certs.d/docker.io/ca.crt"
override_path = true

'
REGISTRY_1_CA='-----BEGIN CERTIFICATE-----
bm8gY2VydGlmaWNhdGU=
-----END CERTIFICATE-----
'
# scripts/lib/

# containerd 2.x from its repository, held, with the whole of its configuration ours.
# https://github.com/containerd/containerd/blob/main/docs/cri/config.md
#
# Its sandbox image is the one that kubeadm of this very version lists, so kubeadm comes in this stage already; it brings crictl,
# which the running runtime is asked with. A file alone proves nothing: containerd passes over keys that it does not know.
#
# Parameters: KUBERNETES_VERSION   as 1.37.1
#             IMAGE_REPOSITORY     where kubeadm takes its images from
#             CONTAINERD_CONFIG    config.toml, with SANDBOX_IMAGE in the place of that image
#             CRICTL_CONFIG        crictl.yaml
#             REGISTRIES           hosts of registries that have mirrors, separated by spaces; for each, by its number from 0:
#             REGISTRY_n_HOSTS     its hosts.toml
#             REGISTRY_n_CA        PEM text of its mirrors' CA; may be empty
#             and those of the repositories kubernetes and containerd (lib/repositories.sh)

config_file=/etc/containerd/config.toml
certs_dir=/etc/containerd/certs.d
# Version of kubeadm, image repository, and the sandbox image that it lists.
sandbox_file=$state_dir/sandbox-image

stage_inspect() {
  local config="" name
  local -A wanted_files=()
  repository_drift kubernetes
  repository_drift containerd
  read_packages containerd.io kubeadm cri-tools
  package_drift containerd.io '2.*'
  for name in kubeadm cri-tools; do [[ ${package_version[$name]:-} ]] || drift "$name is not installed"; done
  if read_sandbox_image; then
    config=${CONTAINERD_CONFIG//SANDBOX_IMAGE/$sandbox_image}
    file_drift "$config_file" "$config"
  else
    drift "the sandbox image of kubeadm $KUBERNETES_VERSION is not known yet"
  fi
  file_drift /etc/crictl.yaml "$CRICTL_CONFIG"
  list_registry_files
  for name in "${!wanted_files[@]}"; do file_drift "$name" "${wanted_files[$name]}"; done
  for name in "$certs_dir"/*/*; do
    [[ ${wanted_files[$name]+yes} ]] || ! ledger_has container-runtime file "$name" || drift "$name is of a mirror that is no longer wanted"
  done
  if [[ ${package_version[containerd.io]:-} ]]; then runtime_drift; fi
  print_inspection container-runtime "{\"containerd\":$(json_string "${package_version[containerd.io]:-}")}"
}

# Sets sandbox_image, when it was settled for this version and repository.
read_sandbox_image() {
  local version repository
  sandbox_image=""
  [[ -r $sandbox_file ]] && read -r version repository sandbox_image < "$sandbox_file" &&
    [[ $version == "$KUBERNETES_VERSION" && $repository == "$IMAGE_REPOSITORY" ]]
}

# Fills wanted_files with path and text of each file of the mirrors.
list_registry_files() {
  local registry number=0 hosts ca
  for registry in $REGISTRIES; do
    hosts=REGISTRY_${number}_HOSTS ca=REGISTRY_${number}_CA
    wanted_files[$certs_dir/$registry/hosts.toml]=${!hosts}
    [[ -z ${!ca} ]] || wanted_files[$certs_dir/$registry/ca.crt]=${!ca}
    number=$((number + 1))
  done
}

# What the running containerd says of itself.
runtime_drift() {
  local state answer
  state=$(systemctl show --value -p ActiveState -p UnitFileState containerd 2>/dev/null) || true
  [[ $state == *enabled* ]] || drift "containerd does not start with the machine"
  if [[ $state != *active* || $state == *inactive* ]]; then
    drift "containerd is not running"
    return
  fi
  # containerd makes its socket when it starts.
  if file_is "$config_file" "$config" && [[ $config_file -nt $runtime_socket ]]; then
    drift "containerd runs with an older configuration than $config_file"
    return
  fi
  answer=$(runtime_answer) || { drift "containerd does not answer: ${answer##*"$newline"}" && return; }
  [[ $answer == "true true [/opt/cni/bin] /etc/cni/net.d" ]] ||
    drift "the running containerd has (ready, SystemdCgroup, CNI directories) $answer, wanted true true [/opt/cni/bin] /etc/cni/net.d"
}

runtime_answer() {
  crictl info -o go-template --template '{{range .status.conditions}}{{if eq .type "RuntimeReady"}}{{.status}}{{end}}{{end}} {{.config.containerd.runtimes.runc.options.SystemdCgroup}} {{.cniconfig.PluginDirs}} {{.cniconfig.PluginConfDir}}' 2>&1
}

stage_apply() {
  is_as_wanted && return
  note_node_traces container-runtime
  ledger_trees container-runtime /etc/containerd /var/lib/containerd /opt/containerd /run/containerd
  use_repository container-runtime kubernetes
  use_repository container-runtime containerd
  install
  settle_sandbox_image
  configure
  start
  confirm
}

install() {
  install_packages container-runtime "containerd.io=2.*" "kubeadm=$KUBERNETES_VERSION-*" "cri-tools=*"
  hold_packages container-runtime containerd.io kubeadm cri-tools
}

settle_sandbox_image() {
  local images image
  read_sandbox_image && return
  images=$(kubeadm config images list --kubernetes-version "v$KUBERNETES_VERSION" --image-repository "$IMAGE_REPOSITORY")
  for image in $images; do
    [[ $image != */pause:* ]] || put_file container-runtime "$sandbox_file" "$KUBERNETES_VERSION $IMAGE_REPOSITORY $image$newline"
  done
  read_sandbox_image || fail "kubeadm $KUBERNETES_VERSION lists no pause image: $images" "report this as a bug of the tool"
}

configure() {
  local name changed=""
  local -A wanted_files=()
  put_file container-runtime /etc/crictl.yaml "$CRICTL_CONFIG"
  # containerd reads these at every pull.
  list_registry_files
  for name in "${!wanted_files[@]}"; do put_file container-runtime "$name" "${wanted_files[$name]}"; done
  for name in "$certs_dir"/*/*; do
    if [[ ! ${wanted_files[$name]+yes} ]] && ledger_has container-runtime file "$name"; then rm -f -- "$name"; fi
  done
  put_file container-runtime "$config_file" "${CONTAINERD_CONFIG//SANDBOX_IMAGE/$sandbox_image}"
}

start() {
  local came_with_us=""
  ! package_is_ours containerd.io || came_with_us=absent
  ledger_unit container-runtime containerd "$came_with_us"
  systemctl --quiet enable containerd
  if [[ ! -S $runtime_socket || $config_file -nt $runtime_socket ]] || ! systemctl --quiet is-active containerd; then
    progress "starting containerd"
    # A containerd that fails tries again by itself: only its answer counts.
    systemctl restart containerd || true
  fi
  if ! wait_until 60 "containerd to answer" runtime_answers; then
    journalctl -u containerd -n 20 --no-pager -o cat >&2 || true
    fail "containerd does not answer on $runtime_socket" "read containerd's own words above, put right what they name, and run 'pulumi up' again"
  fi
}

runtime_answers() { [[ $(runtime_answer) == true\ * ]]; }

stage_remove() {
  # Whoever was given the machine with this stage alone may have made a cluster on it.
  node_reset
  ! package_is_ours containerd.io || remove_pods
  ledger_undo container-runtime
  undo_ended
}

stage_main "$@"
