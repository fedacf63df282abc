# apt-get: how it is run, what it waits for, and what its failures mean.

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
  wait_until 600 "cloud-init to end its work" cloud_init_ended || true
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
