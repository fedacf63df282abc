# kubelet, kubeadm and kubectl at one version, held, and the images of the cluster pulled ahead.
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/
#
# Parameters: KUBERNETES_VERSION  as 1.37.1
#             IMAGE_REPOSITORY    where kubeadm takes its images from
#             CONTROL_PLANE       yes: all of kubeadm's images; no: those that every node runs
#             MORE_IMAGES         further images, separated by spaces
#             REGISTRIES          hosts of registries that have mirrors, for the message when an image is not there
#             and those of the repository kubernetes (lib/repositories.sh)

packages=(kubeadm kubelet kubectl cri-tools kubernetes-cni)

stage_inspect() {
  local name
  repository_drift kubernetes
  read_packages "${packages[@]}"
  for name in "${packages[@]}"; do package_drift "$name" "$(pattern_of "$name")"; done
  [[ ! ${package_version[kubelet]:-} || -L /etc/systemd/system/multi-user.target.wants/kubelet.service ]] ||
    drift "kubelet does not start with the machine"
  print_inspection kubernetes-packages "{\"kubelet\":$(json_string "${package_version[kubelet]:-}")}"
}

# crictl and the CNI plugins have versions of their own.
pattern_of() {
  case $1 in
    kubeadm | kubelet | kubectl) printf '%s-*' "$KUBERNETES_VERSION" ;;
    *) printf '*' ;;
  esac
}

stage_apply() {
  if ! is_as_wanted; then
    use_repository kubernetes-packages kubernetes
    install
    enable_kubelet
  fi
  pull_images
  confirm
}

install() {
  local name wanted=()
  for name in "${packages[@]}"; do wanted+=("$name=$(pattern_of "$name")"); done
  install_packages kubernetes-packages "${wanted[@]}"
  hold_packages kubernetes-packages "${packages[@]}"
}

enable_kubelet() {
  local came_with_us=""
  ! package_is_ours kubelet || came_with_us=absent
  ledger_unit kubernetes-packages kubelet "$came_with_us"
  # kubeadm starts it, when it has something to run.
  systemctl --quiet enable kubelet
}

pull_images() {
  local image images wanted=() present number=0 output attempt
  images=$(kubeadm config images list --kubernetes-version "v$KUBERNETES_VERSION" --image-repository "$IMAGE_REPOSITORY")
  present=$(crictl images -o json) ||
    fail "containerd could not be asked for its images" "look at 'journalctl -u containerd' on the machine, and run 'pulumi up' again"
  for image in $images $MORE_IMAGES; do
    [[ $CONTROL_PLANE == yes || $image == */kube-proxy:* || $image == */pause:* || " $MORE_IMAGES " == *" $image "* ]] || continue
    [[ $present == *"\"$image\""* ]] || wanted+=("$image")
  done
  for image in "${wanted[@]}"; do
    number=$((number + 1))
    progress "pulling image $number of ${#wanted[@]}: $image"
    for attempt in 1 2 3; do
      output=$(crictl pull "$image" 2>&1) && break
      printf '%s\n' "$output" >&2
      # What the registry does not have, or does not give, is not there at the next attempt either.
      if ((attempt == 3)) || [[ $output =~ not\ found|NotFound|denied|unauthorized|authentication\ required ]]; then explain_pull "$image" "$output"; fi
    done
  done
  check_sandbox_image "$images"
}

# containerd pins the image that it was told to make sandboxes of; that is how the running one tells which it is.
check_sandbox_image() {
  local image pinned
  for image in $1; do
    [[ $image == */pause:* ]] || continue
    pinned=$(crictl inspecti -o go-template --template '{{.status.pinned}}' "$image") || pinned=unknown
    [[ $pinned == true ]] ||
      fail "the running containerd does not take $image for its sandboxes (pinned: $pinned)" "run 'systemctl restart containerd' on the machine, and 'pulumi up' again"
  done
}

# explain_pull IMAGE OUTPUT
explain_pull() {
  local image=$1 output=$2 registry=${1%%/*} asked="$1"
  [[ " $REGISTRIES " != *" $registry "* ]] || asked="$image from the mirrors of $registry that registryMirrors names"
  if [[ $output == *"no space left on device"* ]]; then
    fail "image $image cannot be stored: the disk is full$newline$(df -h /var/lib/containerd)" "free space on it, and run 'pulumi up' again"
  fi
  fail "image $image cannot be pulled: ${output##*"$newline"}" "see that the machine can pull $asked (is it there? does the address answer?), and run 'pulumi up' again"
}

stage_remove() {
  node_reset
  ledger_undo kubernetes-packages
  undo_ended
}
