# How records of files, directories, units and the kernel in the ledger are undone. Those of blocks, packages and accounts stand beside
# what makes them.

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
