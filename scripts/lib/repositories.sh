# Package repositories. A stage that needs one has its parameters, for NAME = kubernetes or containerd:
#   NAME_URL, NAME_SUITE, NAME_COMPONENTS   may contain {os} and {codename} of this machine
#   NAME_KEY                                text of the armored key; or
#   NAME_KEY_URL                            where it is fetched from, and
#   NAME_KEY_FINGERPRINT                    which fingerprint it must have; may be empty

repository_changed=""

parameter() {
  local variable=${1^^}_$2
  printf '%s' "${!variable:-}"
}

for_this_machine() {
  local value=${1//\{os\}/$os_id}
  printf '%s' "${value//\{codename\}/$os_codename}"
}

keyring_of() { printf '/etc/apt/keyrings/pulumi-kubeadm-%s.asc' "$1"; }

# Sets `sources` to the repository's entry in apt's own form; see sources.list(5), deb822.
read_sources() {
  local name=$1 os_id os_codename components
  read_os_release
  components=$(parameter "$name" COMPONENTS)
  sources="Types: deb$newline"
  sources+="URIs: $(for_this_machine "$(parameter "$name" URL)")$newline"
  sources+="Suites: $(for_this_machine "$(parameter "$name" SUITE)")$newline"
  [[ -z $components ]] || sources+="Components: $components$newline"
  sources+="Signed-By: $(keyring_of "$name")$newline"
}

repository_drift() {
  local sources
  read_sources "$1"
  file_drift "/etc/apt/sources.list.d/pulumi-kubeadm-$1.sources" "$sources"
  if [[ $(parameter "$1" KEY) ]]; then
    file_drift "$(keyring_of "$1")" "$(parameter "$1" KEY)$newline"
  elif [[ ! -e $(keyring_of "$1") ]]; then
    drift "$(keyring_of "$1") is missing"
  fi
}

# use_repository STAGE NAME
use_repository() {
  local stage=$1 name=$2 sources key fingerprint file os_id os_codename changed=""
  need_work_dir
  file=$work_dir/key-$name
  key=$(parameter "$name" KEY)
  fingerprint=$(parameter "$name" KEY_FINGERPRINT)
  if [[ $key ]]; then
    printf '%s\n' "$key" > "$file"
  else
    read_os_release
    fetch_key "$name" "$(for_this_machine "$(parameter "$name" KEY_URL)")" "$fingerprint" "$file"
  fi
  check_key "$name" "$file" "$fingerprint"
  read_file "$file"
  put_file "$stage" "$(keyring_of "$name")" "$text"
  read_sources "$name"
  put_file "$stage" "/etc/apt/sources.list.d/pulumi-kubeadm-$name.sources" "$sources"
  [[ -z $changed ]] || repository_changed=yes
}

# fetch_key NAME URL FINGERPRINT FILE: by apt's own downloader, so with its proxies and certificates.
fetch_key() {
  local name=$1 url=$2 fingerprint=$3 file=$4 output
  [[ $url == https://* || $fingerprint ]] ||
    fail "the key of the $name repository would come from $url, where anybody on the way can change it, and nothing tells which key it must be" \
      "set packages.$name.keyFingerprint or packages.$name.key, or use an https address"
  progress "fetching the key of the $name repository"
  output=$(/usr/lib/apt/apt-helper -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
    -o APT::Sandbox::User=root download-file "$url" "$file" 2>&1) ||
    fail "the key of the $name repository cannot be fetched from $url$newline$(grep '^[EW]: ' <<< "$output" || tail -n 3 <<< "$output")" \
      "check packages.$name.keyUrl and the machine's way to it, or give the key itself as packages.$name.key"
}

# check_key NAME FILE FINGERPRINT: the file must hold one key, and it must be that one.
check_key() {
  local name=$1 file=$2 wanted=$3 found
  found=$(key_fingerprints "$file") || found=""
  [[ $found ]] || fail "what was given or fetched as key of the $name repository is no armored OpenPGP public key" \
    "set packages.$name.key or packages.$name.keyUrl to one"
  if [[ $wanted && ${found^^} != "${wanted^^}" ]]; then
    fail "the key of the $name repository is ${found//$newline/ and }, wanted $wanted" \
      "do not go on before the repository's keeper has told you why; then set packages.$name.keyFingerprint to the new one"
  fi
  printf 'the key of the %s repository has the fingerprint %s\n' "$name" "${found//$newline/ and }" >&2
}
