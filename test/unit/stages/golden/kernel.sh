# scripts/lib/

# What Kubernetes needs of the kernel: bridged traffic seen by the packet filter, forwarding, and no swap; now and after a restart.
# https://kubernetes.io/docs/setup/production-environment/container-runtimes/
#
# Parameters: none

modules_file=/etc/modules-load.d/pulumi-kubeadm.conf
modules_text="overlay
br_netfilter
"

# systemd-sysctl takes the files of all its directories in the order of their names, and the last setting wins. Debian 12 and Ubuntu
# read /etc/sysctl.conf as 99-sysctl.conf.
sysctl_file=/etc/sysctl.d/99-zz-pulumi-kubeadm.conf
sysctls=(net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables net.ipv4.ip_forward)
sysctl_text=""
for name in "${sysctls[@]}"; do sysctl_text+="$name = 1$newline"; done

stage_inspect() {
  local name text overriding=() units=() line lines=()
  file_drift "$modules_file" "$modules_text"
  file_drift "$sysctl_file" "$sysctl_text"
  module_is_there overlay || drift "module overlay is not loaded"
  module_is_there br_netfilter || drift "module br_netfilter is not loaded"
  for name in "${sysctls[@]}"; do
    if read_file "/proc/sys/${name//.//}"; then
      [[ ${text%"$newline"} == 1 ]] || drift "$name is ${text%"$newline"}, wanted 1"
    else
      drift "$name is missing, wanted 1"
    fi
  done
  find_overriding
  for line in "${overriding[@]}"; do drift "$line, after $sysctl_file"; done
  while read -r line _; do [[ $line == Filename ]] || drift "swap is on: $line"; done < /proc/swaps
  find_swap_lines
  for line in "${lines[@]}"; do drift "/etc/fstab turns swap on at the next start: $line"; done
  find_swap_units
  for line in "${units[@]}"; do drift "$line turns swap on at the next start"; done
  print_inspection kernel "{\"release\":$(json_string "$(< /proc/sys/kernel/osrelease)")}"
}

# A module that is built in is in no list of modules.
module_is_there() {
  case $1 in
    overlay) [[ $(< /proc/filesystems) == *"${tab}overlay"* ]] ;;
    br_netfilter) [[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]] ;;
  esac
}

# Sets `overriding` to the settings in files that come after ours. A file hides those of its name in the directories after its own.
find_overriding() {
  local file directory key value name seen=" "
  overriding=()
  for directory in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d; do
    for file in "$directory"/*.conf; do
      [[ ${file##*/} > ${sysctl_file##*/} && $seen != *" ${file##*/} "* ]] || continue
      seen+="${file##*/} "
      find_in_sysctl_file "$file"
    done
  done
  # ufw sets its own when it starts.
  if [[ -r /etc/ufw/ufw.conf && $(< /etc/ufw/ufw.conf) =~ (^|$newline)ENABLED=yes ]]; then
    find_in_sysctl_file /etc/ufw/sysctl.conf
  fi
}

find_in_sysctl_file() {
  [[ -r $1 ]] || return 0
  while IFS='=' read -r key value || [[ $key ]]; do
    key=${key//[[:space:]]/} value=${value//[[:space:]]/}
    key=${key#-}
    # Both a.b.c and a/b/c are understood.
    key=${key//\//.}
    for name in "${sysctls[@]}"; do
      [[ $key != "$name" || $value == 1 ]] || overriding+=("$1 sets $name to $value")
    done
  done < "$1"
}

is_swap_line() {
  local first kind
  read -r first _ kind _ <<< "$1"
  [[ $first != '#'* && $kind == swap ]]
}

# Sets `lines` to those of /etc/fstab that turn swap on.
find_swap_lines() {
  local line
  lines=()
  [[ -r /etc/fstab ]] || return 0
  while IFS= read -r line || [[ $line ]]; do
    ! is_swap_line "$line" || lines+=("$line")
  done < /etc/fstab
}

# Sets `units` to those that would turn swap on, but for those that are made from /etc/fstab: swap units that are written by hand or
# made by a generator (zram, a GPT partition of that kind), and services that call swapon themselves.
find_swap_units() {
  local file name
  units=()
  for file in /etc/systemd/system/*.swap /usr/local/lib/systemd/system/*.swap /run/systemd/generator{,.early,.late}/*.swap /usr/lib/systemd/system/*.swap; do
    name=${file##*/}
    [[ " ${units[*]} " != *" $name "* && ! -L /etc/systemd/system/$name ]] || continue
    [[ ! -r $file || $(< "$file") != *SourcePath=/etc/fstab* ]] || continue
    units+=("$name")
  done
  for file in /etc/systemd/system/*.wants/{zramswap,zram-config,dphys-swapfile,swapspace}.service; do
    [[ ! -L $file ]] || units+=("${file##*/}")
  done
}

stage_apply() {
  is_as_wanted && return
  load_modules
  set_sysctls
  turn_swap_off
  confirm
}

load_modules() {
  local name release output
  release=$(< /proc/sys/kernel/osrelease)
  put_file kernel "$modules_file" "$modules_text"
  for name in overlay br_netfilter; do
    module_is_there "$name" && continue
    ledger kernel module "$name"
    output=$(modprobe "$name" 2>&1) && continue
    if [[ -d /lib/modules/$release ]]; then
      fail "module $name cannot be loaded: $output" "install the package with this kernel's further modules (as linux-modules-extra-$release), and run 'pulumi up' again"
    fi
    fail "module $name cannot be loaded: the running kernel, $release, was replaced by another one on the disk" "restart the machine, and run 'pulumi up' again"
  done
}

set_sysctls() {
  local name overriding=()
  put_file kernel "$sysctl_file" "$sysctl_text"
  find_overriding
  ((${#overriding[@]} == 0)) ||
    fail "files that come after ours undo it: ${overriding[*]}" "take those lines out, or set them to 1, and run 'pulumi up' again"
  # Turning forwarding on turns this off for all links, and turning it off on again, whatever it was before:
  # https://docs.kernel.org/networking/ip-sysctl.html, ip_forward. Undone from the last to the first.
  ledger_sysctl kernel net.ipv4.conf.all.accept_redirects "${sysctls[@]}"
  for name in "${sysctls[@]}"; do echo 1 > "/proc/sys/${name//.//}"; done
}

turn_swap_off() {
  local device priority lines=() units=() line text reload=""
  while read -r device _ _ _ priority; do
    [[ $device == Filename ]] && continue
    progress "turning swap off: $device"
    printf -v device %b "$device"
    ledger kernel swap "$device" "$priority"
    swapoff -- "$device" ||
      fail "swap on $device cannot be turned off" "there is not enough memory for what is in it: stop what uses it, and run 'pulumi up' again"
  done < /proc/swaps

  find_swap_lines
  if ((${#lines[@]} > 0)); then
    ledger kernel swap-line /etc/fstab
    comment_swap_lines
    reload=yes
  fi

  find_swap_units
  for line in "${units[@]}"; do
    if [[ $line == *.service ]]; then
      ledger_unit kernel "$line"
      systemctl --quiet disable --now "$line"
    else
      # Masked: generators' units come after this directory.
      make_directory kernel /etc/systemd/system
      ledger_file kernel "/etc/systemd/system/$line"
      ln -sfn /dev/null "/etc/systemd/system/$line"
      reload=yes
    fi
  done
  [[ -z $reload ]] || systemctl daemon-reload
}

# All but those lines stays as it is, to the last octet.
comment_swap_lines() {
  local text line result=""
  read_file /etc/fstab
  while [[ $text ]]; do
    line=${text%%"$newline"*}
    [[ $text != *"$newline"* ]] || line+=$newline
    text=${text#"$line"}
    ! is_swap_line "$line" || result+=$swap_tag
    result+=$line
  done
  replace_file /etc/fstab "$result"
}

stage_remove() {
  ledger_undo kernel
  undo_ended
}

stage_main "$@"
