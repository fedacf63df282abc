LOGINS='student sudo
helper plain
ops plain
'
AUTHORIZED_KEYS='student ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGzcgYkbaRHp4ki+BKRsk4QmYDd4wJC/OV2wXs3LTLTs student@lab
helper ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDdl7nIyBFrcBgsDTP4Lsy5 it'\''s "hers"
ops ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl teacher@desk
'
# scripts/lib/

# Who can log in besides those for whom the machine's owner has set that up: users, with public keys in files that only root changes.
# A user who is not there is made. sshd reads the files besides those that it read before: AuthorizedKeysFile in sshd_config(5).
#
# Parameters: LOGINS           per line: a user, and `sudo` for one who does everything without a password, else `plain`
#             AUTHORIZED_KEYS  per line: a user, and a public key

homes=/home
keys_directory=/etc/ssh/authorized_keys.d
# The first file that says something about a setting is the one that sshd follows.
sshd_file=/etc/ssh/sshd_config.d/00-pulumi-kubeadm.conf
sudoers_directory=/etc/sudoers.d
# bash-completion reads it when kubectl's arguments are first to be completed.
completion_file=/usr/local/share/bash-completion/completions/kubectl
# Which files sshd read before.
earlier_file=$state_dir/logins-earlier
# Written whenever sshd has read its configuration.
loaded_file=$state_dir/logins-loaded

# Sets `names`, with_sudo[NAME] and keys[NAME].
declare -A with_sudo=() keys=()
read_logins() {
  local name rest
  names=() with_sudo=() keys=()
  while read -r name rest; do
    [[ $name ]] || continue
    names+=("$name")
    [[ $rest != sudo ]] || with_sudo[$name]=yes
  done <<< "$LOGINS"
  while read -r name rest; do [[ -z $name ]] || keys[$name]+=$rest$newline; done <<< "$AUTHORIZED_KEYS"
}

needed_packages() {
  packages=()
  ((${#with_sudo[@]} == 0)) || packages+=(sudo)
  # A convenience: a mirror without it is no reason to do without the users.
  ! can_be_installed bash-completion || packages+=(bash-completion)
}

# By what apt knows now; true for what is installed.
can_be_installed() { [[ $(apt-cache policy "$1" 2>/dev/null) == *Candidate:\ [0-9]* ]]; }

stage_inspect() {
  local names packages name
  read_logins
  needed_packages
  read_packages "${packages[@]}"
  for name in "${packages[@]}"; do [[ ${package_version[$name]:-} ]] || drift "$name is not installed"; done
  for name in "${names[@]}"; do login_drift "$name"; done
  while read -r name; do [[ -z $name ]] || drift "the ${name/-/ of } is still there, and wanted no more"; done <<< "$(unwanted)"
  sshd_drift
  file_drift "$completion_file" "$(completion_text)$newline"
  print_inspection logins "{}"
}

user_exists() { getent passwd "$1" > /dev/null; }

login_drift() {
  local name=$1
  user_exists "$name" || drift "there is no user $name"
  file_drift "$keys_directory/$name" "$(keys_text "$name")$newline"
  [[ ${with_sudo[$name]:-} ]] || return 0
  if ! file_is "$(sudoers_file "$name")" "$(sudoers_text "$name")$newline"; then
    file_drift "$(sudoers_file "$name")" "$(sudoers_text "$name")$newline"
  elif [[ $(sudo -n -l -U "$name" 2>/dev/null) != *"NOPASSWD: ALL"* ]]; then
    drift "sudo does not follow $(sudoers_file "$name")"
  fi
}

sshd_drift() {
  local name
  if [[ ! -r $earlier_file || ! -e $sshd_file ]]; then
    drift "sshd does not read $keys_directory"
  elif ! file_is "$sshd_file" "$(sshd_text)$newline"; then
    drift "$sshd_file differs from what was written"
  else
    for name in "${names[@]}"; do
      [[ " $(files_that_sshd_reads "$name") " == *" $keys_directory/%u "* ]] || drift "sshd does not follow $sshd_file for $name"
    done
    [[ ! $sshd_file -nt $loaded_file ]] || drift "sshd runs with an older configuration than $sshd_file"
  fi
}

# What sshd's configuration comes to for a user; nothing when it refuses it.
files_that_sshd_reads() {
  local key value
  while read -r key value; do
    [[ $key != authorizedkeysfile ]] || printf '%s' "$value"
  done < <(sshd -T -C "user=$1,host=localhost,addr=127.0.0.1" 2>/dev/null)
}

# What is set up for users who are wanted no more, a line each: names of ledgers.
unwanted() {
  local file name
  for file in "$ledger_dir"/sudo-* "$ledger_dir"/login-*; do
    name=${file##*/}
    case $name in
      sudo-*) [[ ${with_sudo[${name#sudo-}]:-} ]] || printf '%s\n' "$name" ;;
      login-*) [[ ${keys[${name#login-}]:-} ]] || printf '%s\n' "$name" ;;
    esac
  done
}

keys_text() { printf '# Written by pulumi-kubeadm: change its settings, not this file.\n%s' "${keys[$1]%"$newline"}"; }

sudoers_file() { printf '%s/pulumi-kubeadm-%s' "$sudoers_directory" "$1"; }

sudoers_text() { printf '# Written by pulumi-kubeadm: change its settings, not this file.\n%s ALL=(ALL:ALL) NOPASSWD: ALL' "$1"; }

sshd_text() {
  local earlier
  read -r earlier < "$earlier_file" || true
  printf '# Written by pulumi-kubeadm: the files that sshd read before, and those that only root changes.\nAuthorizedKeysFile %s%s/%%u' \
    "${earlier:+$earlier }" "$keys_directory"
}

completion_text() {
  printf '# Written by pulumi-kubeadm.\ncommand -v kubectl > /dev/null && . <(kubectl completion bash)'
}

stage_apply() {
  local names packages name
  is_as_wanted && return
  read_logins
  command -v sshd > /dev/null || fail "this machine has no sshd, so there is no place for its users' keys" "install openssh-server, and run 'pulumi up' again"
  make_directory logins "$keys_directory"
  if ! can_be_installed bash-completion; then
    need_packages
    ledger_lists logins
    update_lists all || warning "the lists of packages could not be fetched"
  fi
  needed_packages
  [[ " ${packages[*]} " == *" bash-completion "* ]] || warning "no package repository of this machine has bash-completion: kubectl's arguments are not completed"
  install_packages logins "${packages[@]/%/=*}"
  while read -r name; do [[ -z $name ]] || ledger_undo "$name"; done <<< "$(unwanted)"
  undo_ended
  for name in "${names[@]}"; do
    user_exists "$name" || make_user "$name"
    put_file "login-$name" "$keys_directory/$name" "$(keys_text "$name")$newline"
    [[ ! ${with_sudo[$name]:-} ]] || let_sudo "$name"
  done
  open_sshd
  put_file logins "$completion_file" "$(completion_text)$newline"
  confirm
}

# Nobody knows a password of this user: * is none, and sshd does not take it for a locked account, as it would !.
make_user() {
  local name=$1 home=$homes/$1 file output
  progress "making the user $name"
  [[ ! -e $home ]] || ledger_has "login-$name" tree "$home" || fail "there is a $home and no user $name" "move it away, or make the user, and run 'pulumi up' again"
  # The tools for accounts keep each file of before beside it.
  for file in passwd group shadow gshadow subuid subgid; do ledger_file "login-$name" "/etc/$file-"; done
  ledger_trees "login-$name" "$home" "/var/spool/cron/crontabs/$name" "/var/mail/$name" "/var/lib/systemd/linger/$name"
  ledger "login-$name" login "$name"
  output=$(useradd --create-home --home-dir "$home" --shell /bin/bash --password '*' "$name" 2>&1) ||
    fail "the user $name could not be made:$newline$output" "put right what it names, or choose another name, and run 'pulumi up' again"
  # A home directory that was there is ours from an earlier time, of a user who was removed since.
  chown -R -h "$name:" "$home"
}

let_sudo() {
  local name=$1 output
  need_work_dir
  sudoers_text "$name" > "$work_dir/sudoers"
  printf '\n' >> "$work_dir/sudoers"
  output=$(visudo -c -f "$work_dir/sudoers" 2>&1) || fail "visudo refuses what is to be written for $name:$newline$output" "look at what it names"
  put_file "sudo-$name" "$(sudoers_file "$name")" "$(sudoers_text "$name")$newline" 0440
}

open_sshd() {
  local name earlier output
  output=$(sshd -t 2>&1) || fail "sshd refuses its configuration as it is:$newline$output" "put right what it names, and run 'pulumi up' again"
  if [[ ! -r $earlier_file ]]; then
    earlier=" $(files_that_sshd_reads root) "
    earlier=${earlier/" $keys_directory/%u "/ }
    read -r earlier <<< "$earlier"
    [[ $earlier != none ]] || earlier=""
    put_file logins "$earlier_file" "$earlier$newline"
  fi
  put_file logins "$sshd_file" "$(sshd_text)$newline"
  if ! output=$(sshd -t 2>&1); then
    rm -f "$sshd_file"
    fail "sshd refuses $sshd_file:$newline$output" "look at what it names"
  fi
  for name in "${names[@]}"; do
    [[ " $(files_that_sshd_reads "$name") " == *" $keys_directory/%u "* ]] ||
      fail "sshd does not follow $sshd_file for $name: /etc/ssh/sshd_config has no Include of that directory, or says AuthorizedKeysFile before it or for some users" \
        "put \`Include /etc/ssh/sshd_config.d/*.conf\` in front of everything in /etc/ssh/sshd_config, and run 'pulumi up' again"
  done
  ledger_file logins "$loaded_file"
  if [[ $sshd_file -nt $loaded_file ]]; then
    progress "having sshd read its configuration"
    # It keeps the connections. Where it is started for each of them, there is nothing to be told.
    systemctl try-reload-or-restart ssh
    : > "$loaded_file"
  fi
}

stage_remove() {
  local order=() index
  [[ ! -e $state_dir/order ]] || mapfile -t order < "$state_dir/order"
  for ((index = ${#order[@]} - 1; index >= 0; index--)); do
    [[ ${order[index]} != @(login|sudo)-* && ${order[index]} != logins ]] || ledger_undo "${order[index]}"
  done
  undo_ended
}

stage_main "$@"
