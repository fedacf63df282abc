# Undo ledger: $ledger_dir/STAGE, one record per line, fields parted by tabs: kind, key, and what it takes to undo. A record is on the
# disk before the change that it is for, and the first one of a kind and key stays: it tells how the machine was before us. Undoing
# takes the records from the last to the first. $state_dir/order tells in which order stages first changed something.

# Sets `field`: without tab and newline, and never empty, since `read` takes several tabs for one. printf %b turns it back; \c is its
# word for nothing.
escape_field() {
  field=${1//\\/\\\\}
  field=${field//$tab/\\t}
  field=${field//$newline/\\n}
  [[ $field ]] || field='\c'
}

# ledger_has STAGE KIND KEY
ledger_has() {
  local file=$ledger_dir/$1 kind=$2 field line
  [[ -e $file ]] || return 1
  escape_field "$3"
  while IFS= read -r line; do
    [[ $line == "$kind$tab$field" || $line == "$kind$tab$field$tab"* ]] && return 0
  done < "$file"
  return 1
}

# ledger STAGE KIND KEY [FIELD…]
ledger() {
  local stage=$1 kind=$2 field line
  shift 2
  ledger_has "$stage" "$kind" "$1" && return
  line=$kind
  for field in "$@"; do
    escape_field "$field"
    line+=$tab$field
  done
  umask 077
  mkdir -p "$ledger_dir"
  [[ -e $ledger_dir/$stage ]] || printf '%s\n' "$stage" >> "$state_dir/order"
  printf '%s\n' "$line" >> "$ledger_dir/$stage"
  umask 022
  sync "$ledger_dir/$stage"
}

# Before a file is written: it was not there, or was as in the copy that is kept with its owner, mode and times.
ledger_file() {
  local stage=$1 path=$2 backup=""
  ledger_has "$stage" file "$path" && return
  if [[ -e $path || -L $path ]]; then
    backup=$state_dir/backup/$stage/${path//\//%}
    umask 077
    mkdir -p "${backup%/*}"
    umask 022
    cp -a --remove-destination -- "$path" "$backup"
    [[ -L $path ]] || sync "$backup"
  fi
  ledger "$stage" file "$path" "$backup"
}

# Before a directory is made that others may put files into: undone when it is empty then.
ledger_directory() { [[ -d $2 ]] || ledger "$1" directory "$2"; }

# Before anything makes these directories or files, now or later: what was not there goes with all that is in it.
ledger_trees() {
  local stage=$1 path
  shift
  for path in "$@"; do
    [[ -e $path || -L $path ]] || ledger "$stage" tree "$path"
  done
}

# ledger_unit STAGE UNIT [absent]: before a unit is enabled or started. `absent`: its package came with us.
ledger_unit() {
  local stage=$1 unit=$2 enabled active
  ledger_has "$stage" unit "$unit" && return
  enabled=absent active=inactive
  if [[ ${3:-} != absent ]]; then
    enabled=$(systemctl is-enabled "$unit" 2>/dev/null) || true
    active=$(systemctl is-active "$unit" 2>/dev/null) || true
  fi
  ledger "$stage" unit "$unit" "${enabled:-absent}" "$active"
}

# ledger_sysctl STAGE NAME…: before a setting of the kernel changes. One that does not exist comes and goes with its module.
ledger_sysctl() {
  local stage=$1 name old
  shift
  for name in "$@"; do
    if read_file "/proc/sys/${name//.//}"; then
      old=${text%"$newline"}
      ledger "$stage" sysctl "$name" "$old"
    fi
  done
}

undo_failed=0

# Undoes a stage. What cannot be undone is told, stays in the ledger, and does not keep the rest from being undone.
ledger_undo() {
  local stage=$1 file=$ledger_dir/$1 lines=() left=() others=() index name
  [[ -e $file ]] || return 0
  mapfile -t lines < "$file"
  progress "undoing $stage"
  for ((index = ${#lines[@]} - 1; index >= 0; index--)); do
    undo_record "${lines[index]}" || left=("${lines[index]}" "${left[@]}")
  done
  if ((${#left[@]} > 0)); then
    undo_failed=$((undo_failed + ${#left[@]}))
    printf '%s\n' "${left[@]}" > "$file.new"
    mv -f "$file.new" "$file"
    return 0
  fi
  rm -rf "$file" "$state_dir/backup/$stage"
  [[ -e $state_dir/order ]] || return 0
  while IFS= read -r name; do [[ $name == "$stage" ]] || others+=("$name$newline"); done < "$state_dir/order"
  printf '%s' "${others[@]}" > "$state_dir/order"
}

# The end of a remove: fails when something that matters is left.
undo_ended() {
  ((undo_failed == 0)) || fail "$undo_failed changes could not be undone: the warnings above name them" \
    "put right what they name, and run 'pulumi destroy' again, or 'npx pulumi-kubeadm give-back'"
}

# 0: undone, or nothing to do; 1: told, and still to be undone.
undo_record() {
  local fields=() index
  IFS=$tab read -r -a fields <<< "$1"
  for index in "${!fields[@]}"; do printf -v "fields[$index]" %b "${fields[index]}"; done
  # What a power cut left of the last line has no key.
  ((${#fields[@]} >= 2)) || return 0
  set -- "${fields[@]:1}" ""
  case ${fields[0]} in
    file) undo_file "$@" ;;
    directory) undo_directory "$1" ;;
    tree) undo_tree "$1" ;;
    block) undo_block "$@" ;;
    sysctl) undo_sysctl "$@" ;;
    module) undo_module "$1" ;;
    packages) undo_packages "$1" ;;
    version) undo_version "$@" ;;
    hold) undo_hold "$1" ;;
    lists) undo_lists "$2" ;;
    account) undo_account "$1" ;;
    login) undo_login "$1" ;;
    unit) undo_unit "$@" ;;
    swap-line) undo_swap_lines "$1" ;;
    swap) undo_swap "$@" ;;
  esac
}
