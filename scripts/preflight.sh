# Looks at a machine before anything on it is touched, and prints one JSON document of facts. What the facts mean is decided in
# machine/preflight/. Few programs are started: starting one is what costs time on a small machine.
#
# Parameters: OWNER           project/stack/cluster that the machine is to belong to
#             APT_FILES       per line: name of a repository, and the address of its InRelease; may contain {os} and {codename}
#             KUBEADM_INDEX   address of the Packages index that kubeadm's versions are read from; empty: they are not wanted
#             WEB_ADDRESSES   per line: address that a container registry is asked for
#             CA_CERTIFICATES PEM texts of the registries' CAs, besides the machine's own
#             ENDPOINT_VIP    address that the control planes are to keep; empty for none
#             ENDPOINT_NAME   name that the machine must resolve itself; empty for none

facts_of_modules=(overlay br_netfilter vxlan)
keepalived_config=/etc/keepalived/keepalived.conf

stage_inspect() {
  # A question that a machine cannot answer is a fact too, and ends nothing.
  set +e +o pipefail
  trap - ERR
  local started=$EPOCHREALTIME
  need_work_dir || return

  local os_id os_codename os_version os_name
  read_os_release
  read_os_version
  local owner joined=false job=false by_hand=null
  read_owner
  [[ -s /etc/kubernetes/kubelet.conf ]] && joined=true
  if [[ $owner && $owner == "$OWNER" ]] && made_by_hand; then
    joined=false
    by_hand=$(describe_made_by_hand)
  fi
  unit_runs pulumi-kubeadm && job=true

  # Asking the network takes longest, so it goes on beside the rest. A node of this cluster has its packages and images.
  if [[ $owner != "$OWNER" || $joined == false ]]; then
    ask_network &
  fi

  ask_endpoint &

  local parts=()
  parts+=("\"hostname\":$(json_string "$(< /proc/sys/kernel/hostname)")")
  parts+=("\"os\":{\"id\":$(json_string "$os_id"),\"version\":$(json_string "$os_version"),\"codename\":$(json_string "$os_codename"),\"name\":$(json_string "$os_name")}")
  parts+=("\"kernel\":$(json_string "$(< /proc/sys/kernel/osrelease)")" "\"architecture\":$(json_string "$(uname -m)")")
  parts+=("\"systemd\":$(true_if test -d /run/systemd/system)" "\"cgroupControllers\":$(cgroup_controllers)")
  parts+=("\"cpus\":$(nproc)" "\"memoryMegabytes\":$(memory_megabytes)" "\"filesystems\":$(filesystems)")
  parts+=("\"machineId\":$(json_string "$(first_line /etc/machine-id)")" "\"productUuid\":$(json_string "$(first_line /sys/class/dmi/id/product_uuid)")")
  parts+=("\"addresses\":$(json_of ip -j address show)" "\"routes\":$(json_of ip -j -4 route show)")
  parts+=("\"swaps\":$(swaps)" "\"listeners\":$(listeners)" "\"nameservers\":$(nameservers)" "\"firewall\":$(json_string "$(firewall)")")
  parts+=("\"software\":$(other_software)" "\"cluster\":$(cluster_files)" "\"leftovers\":$(leftovers)")
  parts+=("\"owner\":$(json_string "$owner")" "\"joined\":$joined" "\"byHand\":$by_hand" "\"resetting\":$(true_if test -e "$reset_begun")" "\"jobRunning\":$job")
  parts+=("\"missingModules\":$(missing_modules)" "\"modulesDirectory\":$(true_if test -d "/lib/modules/$(< /proc/sys/kernel/osrelease)")")
  parts+=("\"missingTools\":$(missing_tools)" "\"keepalived\":$(true_if test -e "$keepalived_config")")
  parts+=("\"packageLock\":$(json_string "$(package_lock)")" "\"packagesInterrupted\":$(packages_interrupted)")
  wait
  parts+=("\"repositories\":$(answers_of_repositories)" "\"kubeadmVersions\":$(kubeadm_versions)" "\"web\":$(answers_of_web)")
  parts+=("\"endpoint\":{\"kept\":$(true_if keeps_vip),\"holder\":$(json_string "$(first_line "$work_dir/holder")"),\"resolved\":$(resolved_addresses)}")
  parts+=("\"clock\":{\"start\":${started/,/.},\"end\":${EPOCHREALTIME/,/.}}")
  local IFS=,
  printf '{%s}\n' "${parts[*]}"
}

true_if() { if "$@"; then echo true; else echo false; fi; }

first_line() { local line=""; [[ -r $1 ]] && read -r line < "$1"; printf '%s' "$line"; }

# The arguments as a JSON list of texts.
json_texts() {
  local text list=()
  for text in "$@"; do list+=("$(json_string "$text")"); done
  local IFS=,
  printf '[%s]' "${list[*]}"
}

# What a command prints as JSON; an empty list when it prints nothing.
json_of() {
  local output
  output=$("$@" 2>/dev/null)
  printf '%s' "${output:-[]}"
}

# systemd keeps a link for each unit that is active; reading it starts no program.
unit_runs() { [[ -L /run/systemd/units/invocation:$1.service ]]; }

# Sets os_version and os_name; the library's read_os_release sets the rest.
read_os_version() {
  local key value
  os_version="" os_name=""
  while IFS='=' read -r key value; do
    value=${value#[\"\']} value=${value%[\"\']}
    case $key in
      VERSION_ID) os_version=$value ;;
      PRETTY_NAME) os_name=$value ;;
    esac
  done < /etc/os-release
}

# null where cgroup v2 is not mounted.
cgroup_controllers() {
  local controllers
  if [[ -r /sys/fs/cgroup/cgroup.controllers ]]; then
    read -ra controllers < /sys/fs/cgroup/cgroup.controllers
    json_texts "${controllers[@]}"
  else
    echo null
  fi
}

memory_megabytes() {
  local key value
  while read -r key value _; do
    [[ $key == MemTotal: ]] && printf '%s' $((value / 1024)) && return
  done < /proc/meminfo
}

# Where packages, images, containers and CNI plugins go.
filesystems() {
  local paths=(/ /var/lib /opt) path list=() mount available size
  local -A options=()
  for path in /var/lib/containerd /var/lib/kubelet; do [[ -d $path ]] && paths+=("$path"); done
  while read -r _ mount _ text _; do options[$mount]=$text; done < /proc/self/mounts
  while read -r mount available size path; do
    list+=("{\"path\":$(json_string "$path"),\"mountPoint\":$(json_string "$mount"),\"availableBytes\":$available,\"sizeBytes\":$size,\"options\":$(json_string "${options[$mount]:-}")}")
  done < <(df -B1 --output=target,avail,size,file "${paths[@]}" 2>/dev/null | tail -n +2)
  local IFS=,
  printf '[%s]' "${list[*]}"
}

swaps() {
  local device list=()
  while read -r device _; do [[ $device == Filename ]] || list+=("$device"); done < /proc/swaps
  json_texts "${list[@]}"
}

listeners() {
  local protocol local_address users list=() process
  while read -r protocol _ _ _ local_address _ users; do
    process=""
    [[ $users =~ \(\(\"([^\"]*)\",pid=([0-9]+) ]] && process="${BASH_REMATCH[1]} (process ${BASH_REMATCH[2]})"
    list+=("{\"protocol\":\"$protocol\",\"port\":${local_address##*:},\"process\":$(json_string "$process")}")
  done < <(ss -Hlntup 2>/dev/null)
  local IFS=,
  printf '[%s]' "${list[*]}"
}

# Of the file that kubeadm gives the kubelet: systemd-resolved's own where that runs, else the machine's.
nameservers() {
  local file=/etc/resolv.conf key value list=()
  unit_runs systemd-resolved && file=/run/systemd/resolve/resolv.conf
  if [[ -r $file ]]; then
    while read -r key value _ || [[ -n $key ]]; do [[ $key == nameserver ]] && list+=("$value"); done < "$file"
  fi
  json_texts "${list[@]}"
}

firewall() {
  if unit_runs firewalld; then
    printf firewalld
  elif [[ -r /etc/ufw/ufw.conf && $(< /etc/ufw/ufw.conf) =~ (^|$'\n')ENABLED=yes ]]; then
    printf ufw
  fi
}

# Other container runtimes and other Kubernetes, by what each leaves where it is installed.
other_software() {
  local list=()
  [[ -S /run/docker.sock || -x /usr/bin/dockerd || -d /var/snap/docker ]] && list+=(docker)
  [[ -S /run/crio/crio.sock || -x /usr/bin/crio ]] && list+=(cri-o)
  [[ -e /usr/local/bin/k3s || -d /var/lib/rancher/k3s ]] && list+=(k3s)
  [[ -e /usr/local/bin/rke2 || -d /var/lib/rancher/rke2 ]] && list+=(rke2)
  [[ -e /usr/local/bin/k0s || -d /var/lib/k0s ]] && list+=(k0s)
  [[ -d /var/snap/microk8s ]] && list+=(microk8s)
  [[ -d /var/snap/kubelet ]] && list+=("the kubelet snap")
  json_texts "${list[@]}"
}

cluster_files() {
  local cluster_files
  list_cluster_files
  json_texts "${cluster_files[@]}"
}

# What an earlier cluster or another runtime leaves, and what would get in the way of this one.
leftovers() {
  json_texts /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist /sys/class/net/cni[0] /sys/class/net/flannel.[1] /sys/class/net/kube-ipvs[0]
}

missing_modules() {
  local module list=()
  for module in "${facts_of_modules[@]}"; do
    [[ -d /sys/module/$module ]] || modprobe -n -q "$module" 2>/dev/null || list+=("$module")
  done
  json_texts "${list[@]}"
}

missing_tools() {
  local tool list=()
  for tool in ip ss modprobe curl apt-get dpkg; do command -v "$tool" >/dev/null || list+=("$tool"); done
  json_texts "${list[@]}"
}

# Who holds a lock of dpkg or apt.
package_lock() {
  local holder=""
  package_lock_held
  printf '%s' "$holder"
}

# As apt sees it: dpkg's journal of a run that did not end.
packages_interrupted() {
  local journal=(/var/lib/dpkg/updates/[0-9]*)
  true_if test "${#journal[@]}" -gt 0
}

# Whether this machine's keepalived is told of the address.
keeps_vip() { [[ $ENDPOINT_VIP && -r $keepalived_config && $(< "$keepalived_config") == *[[:space:]]"$ENDPOINT_VIP/32"[[:space:]]* ]]; }

# Who has the endpoint's address, and what its name stands for; the answers lie in files.
ask_endpoint() {
  [[ -z $ENDPOINT_VIP ]] || keeps_vip || ask_holder &
  [[ -z $ENDPOINT_NAME ]] || timeout 20 getent ahostsv4 "$ENDPOINT_NAME" > "$work_dir/resolved" &
  wait
}

# By any packet: the kernel asks the network who has the address. What it heard before is forgotten first, since that one may be gone.
ask_holder() {
  local words=() deadline=$((SECONDS + 5)) index
  ip -4 neighbour flush to "$ENDPOINT_VIP" 2>/dev/null
  { echo > "/dev/udp/$ENDPOINT_VIP/9"; } 2>/dev/null
  while ((SECONDS < deadline)); do
    read -r -a words < <(ip -4 neighbour show to "$ENDPOINT_VIP" 2>/dev/null) || return
    [[ ${words[-1]} == INCOMPLETE ]] || break
    sleep 0.2
  done
  for index in "${!words[@]}"; do
    [[ ${words[index]} != lladdr ]] || printf '%s\n' "${words[index + 1]}" > "$work_dir/holder"
  done
}

resolved_addresses() {
  local address list=()
  if [[ -r $work_dir/resolved ]]; then
    while read -r address _; do [[ " ${list[*]} " == *" $address "* ]] || list+=("$address"); done < "$work_dir/resolved"
  fi
  json_texts "${list[@]}"
}

# Everything that the network is asked for, side by side; the answers lie in files.
ask_network() {
  local name address number=0
  while read -r name address; do
    [[ -n $name ]] || continue
    address=$(on_this_machine "$address")
    number=$((number + 1))
    ask_repository "$name" "$address" "$number" &
  done <<< "$APT_FILES"
  [[ -n $KUBEADM_INDEX ]] && read_kubeadm_versions "$(on_this_machine "$KUBEADM_INDEX")" &
  [[ -n $WEB_ADDRESSES ]] && command -v curl >/dev/null && ask_web &
  wait
}

on_this_machine() {
  local address
  address=$(for_this_machine "$1")
  printf '%s' "${address//\{architecture\}/$(debian_architecture)}"
}

debian_architecture() {
  case $HOSTTYPE in
    x86_64) printf amd64 ;;
    aarch64) printf arm64 ;;
    *) printf '%s' "$HOSTTYPE" ;;
  esac
}

# With apt's own downloader, so with apt's own proxies and certificates.
apt_download() {
  timeout 60 /usr/lib/apt/apt-helper -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 \
    -o APT::Sandbox::User=root download-file "$1" "$2" 2>&1
}

ask_repository() {
  local name=$1 address=$2 output error=""
  # A repository may have the older pair Release and Release.gpg instead.
  if ! output=$(apt_download "$address" "$work_dir/release.$3") && ! apt_download "${address%InRelease}Release" "$work_dir/release.$3" >/dev/null; then
    error=$(grep -m 1 '^E: ' <<< "$output")
    error=${error#E: }
    error=${error:-no answer within a minute}
  fi
  printf '{"name":%s,"url":%s,"error":%s}' "$(json_string "$name")" "$(json_string "$address")" "$(json_string "$error")" > "$work_dir/repository.$3"
}

answers_of_repositories() {
  local file list=()
  for file in "$work_dir"/repository.*; do list+=("$(< "$file")"); done
  local IFS=,
  printf '[%s]' "${list[*]}"
}

read_kubeadm_versions() {
  local index=$work_dir/index
  if apt_download "$1.gz" "$index.gz" >/dev/null; then
    gzip -dc "$index.gz" > "$index" 2>/dev/null || return
  else
    apt_download "$1" "$index" >/dev/null || return
  fi
  # One stanza per package, parted by empty lines.
  awk -v architecture="$(debian_architecture)" '
    BEGIN { RS = ""; FS = "\n" }
    {
      package = version = ""; fits = 0
      for (i = 1; i <= NF; i++) {
        if ($i == "Package: kubeadm") package = "kubeadm"
        if (sub(/^Version: */, "", $i)) version = $i
        if ($i == "Architecture: " architecture || $i == "Architecture: all") fits = 1
      }
      if (package != "" && fits) print version
    }' "$index" > "$work_dir/versions"
}

# null when they were not asked for, or could not be read.
kubeadm_versions() {
  local versions
  if [[ -e $work_dir/versions ]]; then
    mapfile -t versions < "$work_dir/versions"
    json_texts "${versions[@]}"
  else
    echo null
  fi
}

# Manifests are asked for without being fetched; a registry only knows those whose kinds the question accepts.
ask_web() {
  local address urls=() types=application/vnd.oci.image
  cat /etc/ssl/certs/ca-certificates.crt - <<< "$CA_CERTIFICATES" > "$work_dir/ca" 2>/dev/null
  while read -r address; do [[ -n $address ]] && urls+=(-o /dev/null "$address"); done <<< "$WEB_ADDRESSES"
  curl --silent --head --location --parallel --connect-timeout 15 --max-time 40 --cacert "$work_dir/ca" \
    -H "Accept: $types.index.v1+json, $types.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json" \
    -w '%{urlnum} %{http_code} %{errormsg}\n' "${urls[@]}" > "$work_dir/web" 2>/dev/null
}

answers_of_web() {
  local number status error addresses list=()
  if [[ -e $work_dir/web ]]; then
    mapfile -t addresses <<< "$WEB_ADDRESSES"
    while read -r number status error; do
      list+=("{\"url\":$(json_string "${addresses[number]}"),\"status\":$((10#$status)),\"error\":$(json_string "$error")}")
    done < "$work_dir/web"
  fi
  local IFS=,
  printf '[%s]' "${list[*]}"
}
