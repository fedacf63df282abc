# Files: read, compared, and written at once.

part_suffix=.pulumi-kubeadm-part

# Sets `text` to all that is in the file.
read_file() {
  text=""
  [[ -r $1 ]] || return 1
  IFS= read -r -d '' text < "$1" || true
}

file_is() {
  local text
  [[ -f $1 ]] && read_file "$1" && [[ $text == "$2" ]]
}

# replace_file PATH TEXT: at once, with the owner and mode that it has.
replace_file() {
  cp -a --dereference -- "$1" "$1$part_suffix"
  printf '%s' "$2" > "$1$part_suffix"
  mv -f -- "$1$part_suffix" "$1"
}

# put_file STAGE PATH TEXT [MODE]: at once, and noted in the ledger; nothing when it is so already. Sets `changed` when it was not.
changed=""
put_file() {
  local stage=$1 path=$2 content=$3 mode=${4:-0644}
  file_is "$path" "$content" && return
  changed=yes
  make_directory "$stage" "${path%/*}"
  ledger_file "$stage" "$path"
  printf '%s' "$content" > "$path$part_suffix"
  chmod "$mode" "$path$part_suffix"
  mv -f -- "$path$part_suffix" "$path"
}

# Makes a directory and those above it, each noted in the ledger.
make_directory() {
  local stage=$1 path=$2
  [[ ! -d $path ]] || return 0
  make_directory "$stage" "${path%/*}"
  ledger_directory "$stage" "$path"
  mkdir -m 0755 -- "$path"
}
