# What the scripts on the machines share; `machine/render.ts` puts it before each of them. They run as root with bash 5.1 or newer
# and what a minimal Debian or Ubuntu has: no Python, Perl or jq. Starting a program is what costs time on a small machine, so what
# bash can do itself it does.

set -Eeuo pipefail
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C
umask 022
shopt -s nullglob
# bash 5.2 gives `&` a meaning in ${text//pattern/replacement}; older ones know no such option.
shopt -u patsub_replacement 2>/dev/null || true

state_dir=/var/lib/pulumi-kubeadm
ledger_dir=$state_dir/ledger
# Whose machine this is: project/stack/cluster.
owner_file=$state_dir/owner
newline=$'\n'
tab=$'\t'

# ---------------------------------------------------------------------------------------------------------------------------------
# Telling: what machine/job.ts reads from the log. All of it goes to standard error, so that standard output holds documents only.

# Why the script fails and what to do about it. Of a wait in vain it is told when the script ends: where it goes on, it is no cause.
cause_text=""
next_text=""
failure_told=""
failed_command=""
work_dir=""

progress() { printf '==> %s\n' "$*" >&2; }

warning() { printf 'warning: %s\n' "$*" >&2; }

# Ends the script: what went wrong, and what to do about it.
fail() {
  cause_text=$1
  next_text=$2
  tell_failure
  exit 1
}

tell_failure() {
  failure_told=yes
  printf '!!! %s\n' "${cause_text//$newline/$newline!!! }" >&2
  printf '>>> %s\n' "${next_text//$newline/$newline>>> }" >&2
}

# The document that the job hands back.
result() { printf '%s\n' "$1" > "$JOB_RESULT"; }

on_exit() {
  local status=$?
  [[ -z $work_dir ]] || rm -rf "$work_dir"
  ((status != 0)) && [[ ! $failure_told ]] || return 0
  : "${cause_text:="\`${failed_command:-the script}\` ended with exit status $status"}"
  : "${next_text:="put right what the lines above name, and run 'pulumi up' again"}"
  tell_failure
}
trap on_exit EXIT
trap 'failed_command=$BASH_COMMAND' ERR

# Sets work_dir to a directory on a tmpfs that is gone when the script ends.
need_work_dir() { [[ $work_dir ]] || work_dir=$(mktemp -d /run/pulumi-kubeadm-work.XXXXXX); }

json_string() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$newline/\\n}
  text=${text//$tab/\\t}
  text=${text//$'\r'/\\r}
  text=${text//[[:cntrl:]]/}
  printf '"%s"' "$text"
}

# wait_until SECONDS DESCRIPTION COMMAND…: until the command succeeds. Says on failure what was waited for, and gives 1.
wait_until() {
  local seconds=$1 description=$2 deadline=$((SECONDS + $1))
  shift 2
  "$@" && return
  progress "waiting for $description"
  until "$@"; do
    if ((SECONDS >= deadline)); then
      cause_text="waited $seconds s in vain for $description"
      return 1
    fi
    sleep 1
  done
}

# kubeadm_progress TITLE COMMAND…: its phases become progress. Bootstrap tokens are masked: the log outlives them, but for little.
kubeadm_progress() {
  local title=$1 line phase=""
  shift
  "$@" 2>&1 | while IFS= read -r line; do
    if [[ $line =~ (^|[^a-z0-9])([a-z0-9]{6}\.[a-z0-9]{16})($|[^a-z0-9]) ]]; then line=${line//"${BASH_REMATCH[2]}"/[token]}; fi
    if [[ $line =~ ^\[([a-z-]+)\] && ${BASH_REMATCH[1]} != "$phase" ]]; then
      phase=${BASH_REMATCH[1]}
      progress "$title: $phase"
    fi
    printf '%s\n' "$line" >&2
  done
}

# ---------------------------------------------------------------------------------------------------------------------------------
# Drift: what an inspection finds to be other than wanted, a sentence each.

drifts=()
drift() { drifts+=("$1"); }

# print_inspection STAGE FACTS: the one document of an inspection.
print_inspection() {
  local text list=""
  for text in "${drifts[@]}"; do list+=${list:+,}$(json_string "$text"); done
  printf '{"stage":%s,"drift":[%s],"facts":%s}\n' "$(json_string "$1")" "$list" "$2"
}

is_as_wanted() {
  drifts=()
  stage_inspect > /dev/null
  ((${#drifts[@]} == 0))
}

# The end of an apply: the same inspection as ever, which must find nothing.
confirm() {
  local text texts=""
  progress "checking"
  is_as_wanted && return
  for text in "${drifts[@]}"; do texts+=${texts:+$newline}$text; done
  fail "done, and still not as wanted:$newline$texts" "see whether something else on the machine changes it back, and run 'pulumi up' again"
}

file_drift() {
  if [[ ! -e $1 ]]; then
    drift "$1 is missing"
  elif ! file_is "$1" "$2"; then
    drift "$1 differs from what was written"
  fi
}

# ---------------------------------------------------------------------------------------------------------------------------------
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

undo_file() {
  local path=$1 backup=$2
  rm -f -- "$path$part_suffix"
  if [[ -z $backup ]]; then
    rm -f -- "$path" && reload_after "$path" && return
  elif [[ ! -e $backup && ! -L $backup ]]; then
    warning "$path stays as it is: the copy of how it was is gone"
    return 1
  elif cp -a -- "$backup" "$path$part_suffix" && mv -f -- "$path$part_suffix" "$path"; then
    reload_after "$path"
    return
  fi
  warning "$path could not be put back"
  return 1
}

reload_after() {
  case $1 in
    /etc/systemd/*) systemctl daemon-reload ;;
    # A configuration that sshd refuses, whoever wrote it, keeps nothing from being undone.
    /etc/ssh/sshd_config.d/*) systemctl try-reload-or-restart ssh || warning "sshd still runs with what $1 said" ;;
  esac
}

undo_directory() {
  [[ -d $1 ]] || return 0
  rmdir -- "$1" 2>/dev/null || warning "$1 stays: there are files in it that are not ours"
}

undo_tree() {
  unmount_below "$1"
  rm -rf --one-file-system -- "$1" && return
  warning "$1 could not be removed"
  return 1
}

# unmount_below PATH: the deepest first, as /proc/self/mounts lists the older ones first.
unmount_below() {
  local mount mounts=() index
  while read -r _ mount _; do
    printf -v mount %b "$mount"
    [[ $mount != "$1"/* ]] || mounts+=("$mount")
  done < /proc/self/mounts
  for ((index = ${#mounts[@]} - 1; index >= 0; index--)); do
    umount -- "${mounts[index]}" 2>/dev/null || umount --lazy -- "${mounts[index]}" || warning "${mounts[index]} could not be unmounted"
  done
}

undo_sysctl() {
  local path=/proc/sys/${1//.//}
  [[ -e $path ]] || return 0
  printf '%s\n' "$2" > "$path" && return
  warning "$1 could not be set back to $2"
  return 1
}

# What else uses the module keeps it; it is gone after the next start of the machine.
undo_module() {
  [[ ! -d /sys/module/$1 ]] || modprobe -r -q "$1" 2>/dev/null || warning "module $1 is in use and stays loaded until the next start"
}

undo_unit() {
  local unit=$1 enabled=$2 active=$3
  case $enabled in
    enabled*) systemctl --quiet enable "$unit" 2>/dev/null ;;
    *) systemctl --quiet disable "$unit" 2>/dev/null ;;
  esac
  if [[ $active == active ]]; then
    systemctl start "$unit" && return
    warning "$unit could not be started again"
    return 1
  fi
  systemctl stop "$unit" 2>/dev/null
  systemctl reset-failed "$unit" 2>/dev/null
  return 0
}

# Lines of /etc/fstab that turn swap on become comments behind this.
swap_tag="# pulumi-kubeadm, no swap: "

undo_swap_lines() {
  local text line result=""
  rm -f -- "$1$part_suffix"
  read_file "$1" || return 0
  while [[ $text ]]; do
    line=${text%%"$newline"*}
    [[ $text != *"$newline"* ]] || line+=$newline
    text=${text#"$line"}
    result+=${line#"$swap_tag"}
  done
  if ! file_is "$1" "$result"; then
    replace_file "$1" "$result" && systemctl daemon-reload && return
    warning "the swap lines of $1 could not be put back"
    return 1
  fi
}

undo_swap() {
  local device=$1 priority=$2 line
  while read -r line _; do
    printf -v line %b "$line"
    [[ $line != "$device" ]] || return 0
  done < /proc/swaps
  # Swap in compressed memory is made anew at the next start, by its unit.
  if ((priority < 0)); then swapon -- "$device"; else swapon --priority "$priority" -- "$device"; fi ||
    warning "swap on $device comes back at the next start only"
}

# ---------------------------------------------------------------------------------------------------------------------------------
# Files

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

# A block of lines in a file that others write too. Only the block is ours, whatever happens to the lines around it.
block_begin="# BEGIN pulumi-kubeadm"
block_end="# END pulumi-kubeadm"

# Sets `inside` and `outside` to the text in the block and around it; 1 when the file has none.
split_block() {
  local text line state=before
  inside="" outside=""
  read_file "$1" || return 1
  while [[ $text ]]; do
    line=${text%%"$newline"*}
    [[ $text != *"$newline"* ]] || line+=$newline
    text=${text#"$line"}
    case $state:${line%"$newline"} in
      "before:$block_begin"*) state=in ;;
      "in:$block_end"*) state=after ;;
      in:*) inside+=$line ;;
      *) outside+=$line ;;
    esac
  done
  # Without its end, where the block ends is anybody's guess: its lines stay.
  [[ $state != in ]] || outside+=$inside
  [[ $state == after ]] || inside=""
  [[ $state != before ]]
}

# put_block STAGE PATH TEXT: at the end of the file.
put_block() {
  local stage=$1 path=$2 content=$3 inside outside
  if split_block "$path" && [[ $inside == "$content" ]]; then return 0; fi
  if [[ $outside && $outside != *"$newline" ]]; then
    ledger "$stage" block "$path" joined
    outside+=$newline
  else
    ledger "$stage" block "$path" whole
  fi
  replace_file "$path" "$outside$block_begin: kept by the tool of that name; change it there$newline$content$block_end$newline"
}

undo_block() {
  local path=$1 inside outside
  rm -f -- "$path$part_suffix"
  split_block "$path" || return 0
  # The last line had no end of line before ours came after it.
  [[ $2 != joined ]] || outside=${outside%"$newline"}
  replace_file "$path" "$outside" && return
  warning "the block in $path could not be taken out"
  return 1
}

# Sets `owner`; empty on a machine that belongs to nobody.
read_owner() {
  owner=""
  [[ ! -r $owner_file ]] || read -r owner < "$owner_file" || true
}

# Sets os_id and os_codename, as repositories name them.
read_os_release() {
  local key value file=/etc/os-release
  os_id="" os_codename=""
  while IFS='=' read -r key value; do
    value=${value#[\"\']} value=${value%[\"\']}
    case $key in
      ID) os_id=$value ;;
      VERSION_CODENAME) os_codename=$value ;;
    esac
  done < "$file"
}

# ---------------------------------------------------------------------------------------------------------------------------------
# Packages

export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1
# Ubuntu's needrestart would restart services, containerd included, behind our back.
export NEEDRESTART_SUSPEND=1
# sudo does not let itself be removed where root has no password. It only goes where it came with us, and root logs in with a key.
export SUDO_FORCE_REMOVE=yes

# What the machine's owner changed in a configuration file stays; apt itself waits for dpkg's lock too, should it be taken again.
apt_options=(
  -q -y
  -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
  -o APT::Install-Recommends=false -o APT::Keep-Downloaded-Packages=false
  -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30
)

# Runs apt-get into the log, and sets `apt_output` to what it said.
apt_get() {
  local line
  apt_output=$(
    apt-get "${apt_options[@]}" "$@" 2>&1 | while IFS= read -r line; do
      case $line in
        "Unpacking "* | "Setting up "*) progress "${line%% (*}" ;;
      esac
      printf '%s\n' "$line" >&2
      printf '%s\n' "$line"
    done
  )
}

# Sets `holder` to the program that holds a lock of dpkg or apt. The kernel lists POSIX locks by process and inode.
package_lock_held() {
  local inodes kind mode pid where
  inodes=$(stat -c %i /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock 2>/dev/null) || true
  while read -r _ kind _ mode pid where _; do
    if [[ $kind == POSIX && $mode == WRITE && $newline$inodes$newline == *"$newline${where##*:}$newline"* ]]; then
      holder="process $pid"
      [[ ! -r /proc/$pid/comm ]] || read -r holder < "/proc/$pid/comm" || true
      holder+=" (process $pid)"
      return 0
    fi
  done < /proc/locks
  return 1
}

package_lock_free() { ! package_lock_held; }

cloud_init_ended() { [[ ! -e /run/cloud-init/enabled || -e /run/cloud-init/result.json ]]; }

# Until nothing else installs packages, and what was interrupted is put right.
need_packages() {
  local holder
  # What cloud-init still installs at the first start of a machine; one that never ends is no reason to give up.
  wait_until 600 "cloud-init to end its work" cloud_init_ended || cause_text=""
  if package_lock_held; then
    wait_until 600 "$holder to release the lock of apt and dpkg" package_lock_free ||
      fail "apt's lock is still held by $holder" "wait until it has ended, or end it, and run 'pulumi up' again"
  fi
  local journal=(/var/lib/dpkg/updates/[0-9]*)
  if ((${#journal[@]} > 0)) || [[ $(dpkg --audit) ]]; then
    progress "ending an installation that was interrupted"
    dpkg --force-confdef --force-confold --configure -a >&2 || apt_get --fix-broken install || explain_apt "dpkg could not end the installation that was interrupted"
  fi
}

# read_packages NAME…: sets package_version[NAME] and package_held[NAME] for those that are wholly installed.
declare -A package_version=() package_held=()
read_packages() {
  local status version name
  package_version=() package_held=()
  while read -r status name version; do
    [[ $status == ?i ]] || continue
    package_version[$name]=$version
    [[ $status != h* ]] || package_held[$name]=yes
  done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' "$@" 2>/dev/null)
}

# The exact version that was installed for a wanted one, so that a later revision that somebody installs is seen as what it is.
remembered_version() {
  local version=""
  [[ -r $state_dir/packages/$1 ]] && read -r version < "$state_dir/packages/$1"
  # shellcheck disable=SC2053 # the wanted version is a pattern
  [[ $version && $version == $2 ]] && printf '%s' "$version"
}

# package_drift NAME PATTERN: installed, at that version, and held. read_packages has been called.
package_drift() {
  local name=$1 pattern=$2 version=${package_version[$1]:-} wanted
  wanted=$(remembered_version "$name" "$pattern") || wanted=$pattern
  if [[ -z $version ]]; then
    drift "$name is not installed"
    return
  fi
  # shellcheck disable=SC2053 # the wanted version is a pattern
  [[ $version == $wanted ]] || drift "$name is $version, wanted ${wanted%-\*}"
  [[ ${package_held[$name]:-} ]] || drift "$name is not held at its version"
}

# True for a package that came with us.
package_is_ours() {
  local file line
  for file in "$ledger_dir"/*; do
    while IFS=$tab read -r -a line; do
      [[ ${line[0]} != packages || " ${line[1]} " != *" $1 "* ]] || return 0
    done < "$file"
  done
  return 1
}

# The lists of packages that apt had, before we fetch any: the others go again.
ledger_lists() {
  local file files=()
  ledger_has "$1" lists lists && return
  for file in /var/lib/apt/lists/*; do files+=("${file##*/}"); done
  ledger "$1" lists lists "${files[*]}"
}

undo_lists() {
  local before=" $1 " file
  for file in /var/lib/apt/lists/*; do
    [[ -d $file || $file == */lock || $before == *" ${file##*/} "* ]] || rm -f -- "$file"
  done
}

# Fetches the lists of our repositories, or with `all` those of the machine too.
update_lists() {
  local options=() file
  progress "fetching the lists of packages"
  if [[ ${1:-} != all ]]; then
    need_work_dir
    rm -rf "$work_dir/sources"
    mkdir "$work_dir/sources"
    for file in /etc/apt/sources.list.d/pulumi-kubeadm-*.sources; do cp "$file" "$work_dir/sources/"; done
    options=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work_dir/sources" -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any)
  fi
  apt_get "${options[@]}" update
}

install_options=(--no-remove --allow-downgrades --allow-change-held-packages)

# Sets `plan` to what an installation would do.
plan_install() { plan=$(apt-get -s "${apt_options[@]}" "${install_options[@]}" install "$@" 2>&1); }

# Notes the version that each has now.
remember_versions() {
  local name
  umask 077
  mkdir -p "$state_dir/packages"
  umask 022
  for name in "$@"; do printf '%s\n' "${package_version[$name]}" > "$state_dir/packages/$name"; done
}

# install_packages STAGE NAME=PATTERN…: at these versions, and noted in the ledger with what else comes along. What fits already stays.
install_packages() {
  local stage=$1 plan name names=() reach spec pattern exact=() patterns=() installed="" apt_output=""
  shift
  read_packages "${@%%=*}"
  for spec in "$@"; do
    name=${spec%%=*}
    pattern=$(remembered_version "$name" "${spec#*=}") || pattern=${spec#*=}
    # shellcheck disable=SC2053 # a pattern it is
    if [[ ${package_version[$name]:-} && ${package_version[$name]} == $pattern ]]; then
      remember_versions "$name"
    else
      names+=("$name")
      # Any version is no version in apt's words.
      exact+=("${name}=$pattern") exact=("${exact[@]%=\*}")
      patterns+=("${spec%=\*}")
    fi
  done
  ((${#names[@]} > 0)) || return 0
  need_packages
  ledger_lists "$stage"
  # The machine's own repositories are only asked when ours are not enough, as when a package there has moved on.
  for reach in none ours all; do
    case $reach in
      none) [[ ! $repository_changed ]] || continue ;;
      ours) update_lists || explain_apt "the lists of packages could not be fetched" ;;
      all) update_lists all || true ;;
    esac
    # The very revision of before may have left the repository.
    if plan_install "${exact[@]}" || { [[ $reach == all ]] && exact=("${patterns[@]}") && plan_install "${exact[@]}"; }; then
      note_plan "$stage"
      progress "installing ${names[*]}"
      note_accounts
      ! apt_get "${install_options[@]}" install "${exact[@]}" || installed=yes
      ledger_accounts "$stage"
      [[ ! $installed && $apt_output == *"Failed to fetch"* ]] || break
    else
      apt_output=$plan
      printf '%s\n' "$plan" >&2
    fi
  done
  [[ $installed ]] || explain_apt "${names[*]} could not be installed"
  repository_changed=""
  read_packages "${names[@]}"
  remember_versions "${names[@]}"
}

# What the plan brings that was not there goes again; what it changes cannot be changed back, since its old version may be nowhere.
note_plan() {
  local stage=$1 line name new=""
  while IFS= read -r line; do
    if [[ $line =~ ^Inst\ ([^ ]+)\ \[([^]]+)\] ]]; then
      package_is_ours "${BASH_REMATCH[1]}" || ledger "$stage" version "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    elif [[ $line =~ ^Inst\ ([^ ]+)\ \( ]]; then
      new+=${new:+ }${BASH_REMATCH[1]}
    fi
  done <<< "$plan"
  [[ -z $new ]] || ledger "$stage" packages "$new"
}

# hold_packages STAGE NAME…
hold_packages() {
  local stage=$1 name free=()
  shift
  read_packages "$@"
  for name in "$@"; do [[ ${package_held[$name]:-} ]] || free+=("$name"); done
  ((${#free[@]} > 0)) || return 0
  ledger "$stage" hold "${free[*]}"
  apt-mark hold "${free[@]}" >&2
}

undo_hold() {
  local names=() name
  read -r -a names <<< "$1"
  read_packages "${names[@]}"
  names=("${!package_held[@]}")
  ((${#names[@]} > 0)) || return 0
  apt-mark unhold "${names[@]}" >&2 && return
  warning "${names[*]} could not be released from being held"
  return 1
}

undo_version() {
  read_packages "$1"
  [[ ${package_version[$1]:-$2} == "$2" ]] || warning "$1 was $2 before and stays at ${package_version[$1]}"
}

# Purges packages that came with us. One that something else needs by now stays, with those that it needs.
undo_packages() {
  local names=() name left=() status plan output=""
  read -r -a names <<< "$1"
  while read -r status name; do [[ $status == ?n ]] || left+=("$name"); done \
    < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${names[@]}" 2>/dev/null)
  ((${#left[@]} > 0)) || return 0
  need_packages
  progress "removing ${left[*]}"
  plan=$(apt-get -s "${apt_options[@]}" purge "${left[@]}" 2>&1) || true
  while read -r status name _; do
    [[ $status != Purg && $status != Remv || " ${left[*]} " == *" $name "* ]] || output+=" $name"
  done <<< "$plan"
  if [[ $output ]]; then
    # dpkg takes each for itself and leaves those that are needed.
    output=$(dpkg --force-remove-reinstreq --purge "${left[@]}" 2>&1) || true
    printf '%s\n' "$output" >&2
  else
    apt_get --allow-change-held-packages purge "${left[@]}" || dpkg --force-remove-reinstreq --purge "${left[@]}" >&2 || true
  fi
  names=("${left[@]}") left=()
  while read -r status name; do
    [[ $status != ?n ]] || continue
    if [[ $output == *"dependency problems prevent removal of $name"* ]]; then
      warning "$name stays: something that was installed since needs it"
    else
      left+=("$name")
    fi
  done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${names[@]}" 2>/dev/null)
  ((${#left[@]} > 0)) || return 0
  warning "${left[*]} could not be removed"
  return 1
}

# System users and groups that an installation made: Debian's packages leave theirs when they go.
note_accounts() {
  read_file /etc/passwd
  users_before=$newline$text
  read_file /etc/group
  groups_before=$newline$text
}

ledger_accounts() {
  local name number
  while IFS=: read -r name _ number _; do
    ((number >= 1000)) || [[ $users_before == *"$newline$name:"* ]] || ledger "$1" account "user $name"
  done < /etc/passwd
  while IFS=: read -r name _ number _; do
    ((number >= 1000)) || [[ $groups_before == *"$newline$name:"* ]] || ledger "$1" account "group $name"
  done < /etc/group
}

undo_account() {
  local kind=${1% *} name=${1#* } database=passwd
  [[ $kind == user ]] || database=group
  getent "$database" "$name" > /dev/null || return 0
  "${kind}del" "$name" && return
  warning "$kind $name could not be removed"
  return 1
}

# A user for people, whose programs may still run.
undo_login() {
  local name=$1 uid
  uid=$(id -u "$name" 2>/dev/null) || return 0
  wait_until 10 "the processes of $name to end" ended_processes_of "$uid" || cause_text=""
  undo_account "user $name"
}

# Ends what runs with that user id; true when there was nothing any more.
ended_processes_of() {
  local uid=$1 file key real pids=()
  for file in /proc/[0-9]*/status; do
    while read -r key real _; do
      [[ $key != Uid: ]] || break
    done 2>/dev/null < "$file" || continue
    [[ $real != "$uid" ]] || pids+=("${file//[!0-9]/}")
  done
  ((${#pids[@]} > 0)) || return 0
  kill -KILL "${pids[@]}" 2>/dev/null
  return 1
}

# explain_apt WHAT: ends the script with what apt said, in words that name the setting.
explain_apt() {
  local what=$1 name there version
  if [[ $apt_output =~ Version\ \'([^\']+)\'\ for\ \'([^\']+)\'\ was\ not\ found || $apt_output =~ Unable\ to\ locate\ package\ ()([^[:space:]]+) || $apt_output =~ Package\ \'?()([^\'[:space:]]+)\'?\ has\ no\ installation\ candidate ]]; then
    name=${BASH_REMATCH[2]}
    there=$(apt-cache madison "$name" 2>/dev/null | while IFS=' |' read -r _ version _; do printf '%s ' "$version"; done)
    fail "no package repository of this machine has $name${BASH_REMATCH[1]:+ ${BASH_REMATCH[1]}}; there is: ${there:-no $name at all}" \
      "choose a version that is there, or add it to a package repository of the machine (Kubernetes and containerd: the one that packages.kubernetes or packages.containerd names)"
  elif [[ $apt_output == *"Packages need to be removed but remove is disabled"* ]]; then
    fail "$what: other packages would have to go: $(grep '^Remv ' <<< "$apt_output" || grep -A 3 'will be REMOVED' <<< "$apt_output")" \
      "remove them yourself if they are not needed, and run 'pulumi up' again"
  elif [[ $apt_output == *"No space left on device"* || $apt_output == *"enough free space"* ]]; then
    fail "$what: the disk is full$newline$(df -h / /var 2>/dev/null)" "free space on it, and run 'pulumi up' again"
  elif [[ $apt_output =~ NO_PUBKEY|EXPKEYSIG|REVKEYSIG|BADSIG|is\ not\ signed|Missing\ key|signature[s]?\ (was|were|is|are)\ (invalid|bad)|OpenPGP\ signature\ verification\ failed|NOSPLIT ]]; then
    fail "$what: a repository's signature does not come from the key that it was given$newline$(grep -m 3 '^[EW]: ' <<< "$apt_output")" \
      "check packages.*.key, keyUrl and keyFingerprint against the key that the repository's keeper publishes"
  elif [[ $apt_output == *"Failed to fetch"* || $apt_output == *"Could not resolve"* || $apt_output == *"Could not connect"* ]]; then
    fail "$what: a package repository cannot be reached$newline$(grep -m 3 '^[EW]: ' <<< "$apt_output")" \
      "check the address in packages.*.url and the machine's way to it (DNS, firewall, apt's proxy), and run 'pulumi up' again"
  fi
  fail "$what$newline$(grep -m 5 '^E: ' <<< "$apt_output" || tail -n 5 <<< "$apt_output")" "put right what apt names, and run 'pulumi up' again"
}

# ---------------------------------------------------------------------------------------------------------------------------------
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

# Fingerprints of all primary keys in an armored file, a line each. gpg is not on every machine (apt only needs a verifier), and the
# form is simple: RFC 9580, sections 4.2 (packets), 5.5.4 (fingerprints) and 6 (armor).
key_fingerprints() {
  local file=$1 bytes offset=0 first tag length head body version
  # Armor: the lines after the headers' empty line up to the checksum or the end.
  sed -n '/^-----BEGIN PGP PUBLIC KEY BLOCK-----/,/^-----END/p' "$file" | tr -d '\r' |
    sed -e '1,/^[[:space:]]*$/d' -e '/^=....$/d' -e '/^-----/d' | base64 -d > "$file.packets" 2>/dev/null || return 1
  bytes=$(od -An -v -tx1 "$file.packets" | tr -d ' \n')
  while ((offset * 2 < ${#bytes})); do
    first=$((16#${bytes:offset*2:2}))
    ((first & 0x80)) || return 1
    if ((first & 0x40)); then
      tag=$((first & 0x3f)) length=$((16#${bytes:offset*2+2:2})) head=2
      if ((length == 255)); then
        length=$((16#${bytes:offset*2+4:8})) head=6
      elif ((length >= 224)); then
        return 1
      elif ((length >= 192)); then
        length=$(((length - 192) * 256 + 16#${bytes:offset*2+4:2} + 192)) head=3
      fi
    else
      tag=$((first >> 2 & 0x0f))
      case $((first & 3)) in
        0) length=$((16#${bytes:offset*2+2:2})) head=2 ;;
        1) length=$((16#${bytes:offset*2+2:4})) head=3 ;;
        2) length=$((16#${bytes:offset*2+2:8})) head=5 ;;
        *) return 1 ;;
      esac
    fi
    if ((tag == 6)); then
      body=$((offset + head)) version=${bytes:(offset+head)*2:2}
      case $version in
        04) prefixed_digest sha1sum '99%04x' ;;
        06) prefixed_digest sha256sum '9b%08x' ;;
        *) return 1 ;;
      esac
    fi
    offset=$((offset + head + length))
  done
}

# Of a packet's body behind the octet and length that its fingerprint is counted with.
prefixed_digest() {
  local prefix digest
  # shellcheck disable=SC2059 # the form of the prefix is the caller's
  printf -v prefix "$2" "$length"
  # shellcheck disable=SC2001 # every pair of digits
  digest=$({
    printf '%b' "$(sed 's/../\\x&/g' <<< "$prefix")"
    tail -c "+$((body + 1))" "$file.packets" | head -c "$length"
  } | "$1")
  digest=${digest%% *}
  printf '%s\n' "${digest^^}"
}

# ---------------------------------------------------------------------------------------------------------------------------------
# The node of a cluster

runtime_socket=/run/containerd/containerd.sock

# Written before a kubeadm init or join of a control plane begins: only what it then leaves half-way may be cleared.
control_plane_begun=$state_dir/control-plane-begun
# Written when it has ended well: from then on the machine holds a member's data, and no apply resets it.
control_plane_ended=$state_dir/control-plane-ended
# Written on a worker before a kubeadm join begins, and left there: what is on a machine without one of these marks, somebody made by hand.
worker_begun=$state_dir/worker-begun
# Keys of the cluster's CA, from the reset that keeps them until the kubeadm init that takes them up again.
kept_keys=$state_dir/kept-keys
# There from the beginning of such a reset until the machine is a node again.
reset_begun=$state_dir/reset-begun
# Names of the files that configured pod networks when the machine was taken.
cni_before=$state_dir/cni-before
# There while a recovery of lost quorum is not finished.
recovery_mark=/var/lib/etcd/pulumi-kubeadm-recovery

# The container in which etcd runs; 1 when there is none.
etcd_container() {
  local container
  container=$(crictl --runtime-endpoint "unix://$runtime_socket" --timeout 20s ps --quiet --state Running --name '^etcd$' 2>/dev/null) || return 1
  container=${container%%"$newline"*}
  [[ $container ]] && printf '%s' "$container"
}

etcd_running() { etcd_container > /dev/null; }

# etcdctl_at ENDPOINTS ARGUMENT…: etcd's own etcdctl, in its container. The image has no shell, and sees no more of the machine than
# /var/lib/etcd and the certificates. Not --sync: that drops the output of a command that fails.
etcdctl_at() {
  local endpoints=$1 container
  shift
  if ! container=$(etcd_container); then
    echo "no etcd runs on this machine" >&2
    return 1
  fi
  crictl --runtime-endpoint "unix://$runtime_socket" exec "$container" etcdctl --endpoints="$endpoints" \
    --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt \
    --key=/etc/kubernetes/pki/etcd/healthcheck-client.key "$@"
}

# etcdctl ARGUMENT…: asks the member on this machine.
etcdctl() { etcdctl_at https://127.0.0.1:2379 "$@"; }

# client_endpoints LIST: where all started members of `member list --write-out=json` answer clients, parted by commas.
client_endpoints() {
  local rest=$1 endpoints=""
  while [[ $rest =~ \"clientURLs\":\[\"([^\"]+)\" ]]; do
    endpoints+=${endpoints:+,}${BASH_REMATCH[1]}
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
  printf '%s' "$endpoints"
}

# What the kubelet and the containers say, after a wait in vain.
node_evidence() {
  journalctl --unit=kubelet --lines=30 --no-pager --output=cat >&2 || true
  crictl --runtime-endpoint "unix://$runtime_socket" ps --all >&2 || true
}

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

node_has_traces() {
  local traces=(
    /etc/kubernetes/*.conf /etc/kubernetes/manifests/*.yaml /etc/kubernetes/pki/ca.[c]rt /var/lib/etcd/membe[r]
    /var/lib/kubelet/config.yam[l] /etc/cni/net.d/10-flannel.conflis[t]
    /sys/class/net/cni[0] /sys/class/net/flannel.* /sys/class/net/kube-ipvs[0] /run/netns/cni-*
  )
  ((${#traces[@]} > 0))
}

# kubeadm reset, and all that it leaves behind:
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/#cleanup-of-network-configuration
# Other software's containers, links and packet filter rules stay.
node_reset() {
  if node_has_traces; then
    progress "resetting the node"
    [[ -S $runtime_socket ]] || systemctl start containerd 2>/dev/null || true
    systemctl stop kubelet 2>/dev/null || true
    # All at the same time; kubeadm reset takes one after the other.
    remove_pods
    # An etcd member leaves its cluster from a machine that stays, before this; here its data goes. Asking the cluster to let it go
    # would only wait for an apiserver that may be gone.
    if command -v kubeadm > /dev/null; then
      kubeadm_progress "kubeadm reset" timeout 300 kubeadm reset --force --cleanup-tmp-dir --skip-phases=remove-etcd-member \
        --cri-socket "unix://$runtime_socket" || warning "kubeadm reset did not end well; the rest is cleared all the same"
    fi
    remove_node_network
    remove_node_files
  fi
  rm -f "$control_plane_begun" "$control_plane_ended" "$worker_begun"
  ledger_undo control-plane
  ledger_undo worker
}

remove_pods() {
  local pods
  [[ -S $runtime_socket ]] && command -v crictl > /dev/null || return 0
  pods=$(crictl --runtime-endpoint "unix://$runtime_socket" --timeout 60s pods -q 2>/dev/null) || pods=""
  [[ $pods ]] || return 0
  progress "removing the pods"
  crictl --runtime-endpoint "unix://$runtime_socket" --timeout 60s rmp --all --force >&2 || warning "not all pods could be removed"
}

remove_node_network() {
  local path
  progress "removing the pod network"
  remove_ipvs_services
  for path in /run/netns/cni-*; do ip netns delete "${path##*/}" || warning "network namespace ${path##*/} could not be removed"; done
  # Also of the pod networks that a lesson puts in flannel's place: Calico, Cilium, Weave Net, kube-router.
  for path in /sys/class/net/{cni0,flannel.*,flannel-v6.*,kube-ipvs0,vxlan.calico,wireguard.cali,cilium_*,weave,vxlan-6784,kube-bridge}; do
    [[ ! -e $path ]] || ip link delete "${path##*/}" || warning "link ${path##*/} could not be removed"
  done
  remove_packet_filter_rules
}

# Only chains of Kubernetes, of pod networks and of the CNI plugins, and the rules elsewhere that lead to them.
remove_packet_filter_rules() {
  local variant line table="" script chains jumps kind family name ours='((KUBE|FLANNEL|CNI|WEAVE|cali)-|(OLD_)?CILIUM_)'
  # Both kinds may hold rules, whichever is in use now.
  for variant in iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft; do
    command -v "$variant-save" > /dev/null || continue
    script=""
    while IFS= read -r line; do
      if [[ $line == \** ]]; then
        table=$line chains="" jumps=""
      elif [[ $line =~ ^:(${ours}[^ ]*) ]]; then
        # Naming a chain empties it; all are empty before the first is deleted.
        jumps=":${BASH_REMATCH[1]} - [0:0]$newline$jumps"
        chains+="-X ${BASH_REMATCH[1]}$newline"
      elif [[ $line == -A* && ! $line =~ ^-A\ $ours && $line =~ \ -[jg]\ $ours ]]; then
        jumps+="-D ${line#-A }$newline"
      elif [[ $line == COMMIT && $chains ]]; then
        script+="$table$newline$jumps${chains}COMMIT$newline"
      fi
    done < <("$variant-save" 2>/dev/null)
    [[ -z $script ]] || "$variant-restore" -w 30 --noflush <<< "$script" || warning "the rules of Kubernetes in $variant could not be removed"
  done
  command -v nft > /dev/null || return 0
  while read -r kind family name; do
    [[ $kind == table && ($name == kube-proxy || $name == flannel-* || $name == calico) ]] || continue
    nft delete table "$family" "$name" || warning "nftables' table $family $name could not be removed"
  done < <(nft list tables 2>/dev/null)
}

# Services of kube-proxy's ipvs mode: those on the addresses of its link.
remove_ipvs_services() {
  local addresses command kind service host
  [[ -e /sys/class/net/kube-ipvs0 ]] && command -v ipvsadm-save > /dev/null || return 0
  addresses=$(ip -oneline address show dev kube-ipvs0)
  while read -r command kind service _; do
    host=${service%:*} host=${host//[\[\]]/}
    [[ $command != -A || $addresses != *" $host/"* ]] || ipvsadm -D "$kind" "$service" || warning "ipvs service $service could not be removed"
  done < <(ipvsadm-save -n)
}

# What kubeadm and the pods leave. Directories that packages or we made go with these.
remove_node_files() {
  local leftovers=(
    /etc/kubernetes/*.conf /etc/kubernetes/manifests/* /etc/kubernetes/pki /etc/kubernetes/tmp
    /var/lib/etcd/* /var/lib/etcd/.[!.]* /var/lib/kubelet/* /var/lib/kubelet/.[!.]*
    /etc/cni/net.d/10-flannel.conflist /var/lib/cni/flannel /var/lib/cni/networks/cbr0 /var/lib/cni/results/cbr0-* /run/flannel
    /var/log/pods/* /var/log/containers/*
  )
  list_new_cni_files
  unmount_below /var/lib/kubelet
  rm -rf --one-file-system -- "${leftovers[@]}" || warning "not all files of the cluster could be removed"
}

# Adds to `leftovers` what has configured a pod network since the machine was taken: of several the first by name is in force.
list_new_cni_files() {
  local text path
  read_file "$cni_before" || return 0
  for path in /etc/cni/net.d/*; do [[ $newline$text == *"$newline${path##*/}$newline"* ]] || leftovers+=("$path"); done
}

# ---------------------------------------------------------------------------------------------------------------------------------
# What a node has of Kubernetes.

config_dir=/etc/kubernetes
pki=$config_dir/pki
kubelet_certificate=/var/lib/kubelet/pki/kubelet-client-current.pem

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

# ---------------------------------------------------------------------------------------------------------------------------------

# The last line of every script that is sent: stage_main VERB
stage_main() {
  case ${1:-} in
    inspect) stage_inspect ;;
    apply) stage_apply ;;
    remove) stage_remove ;;
    *) fail "no such verb: ${1:-none}" "use inspect, apply or remove" ;;
  esac
}
