# Users and groups that go when the machine is given back: those that packages made, and those for people.

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
  wait_until 10 "the processes of $name to end" ended_processes_of "$uid" || true
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
