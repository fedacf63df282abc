# The job of a machine, as its systemd unit runs it; lies as `run` in the job's directory.
#   run apply|remove   the unit's process: the parameters, then the script with that verb
#   run stopped        when the unit has stopped, however it did: ExecStopPost
# What a client needs stays in /run, which does not fill up with the disk; the log goes to /var/log at the end.

job=${BASH_SOURCE[0]%/*}
{ read -r stage; read -r verb; read -r since; read -r holder; } < "$job/holder"
log=${job%/run/pulumi-kubeadm/job}/var/log/pulumi-kubeadm/$stage.log

# seconds_since FILE: since it was written, with one decimal.
seconds_since() {
  local written tenths
  written=$(stat -c %.6Y "$1")
  tenths=$(((${EPOCHREALTIME//[.,]/} - ${written//[.,]/}) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

stopped() {
  local file
  # Whatever else a script left here may hold a secret, as its parameters do.
  for file in "$job"/*; do
    case ${file##*/} in
      holder | id | mark | run | script | output | exit | result.json) ;;
      *) rm -rf "$file" ;;
    esac
  done
  # systemd says why it ended the unit when the script could not: timeout, oom-kill, signal.
  [[ -s $job/exit ]] || echo "${SERVICE_RESULT:-unknown}" > "$job/exit"
  # A job that gives the machine back removes the log itself.
  [[ ! -e $log ]] || { echo "--- $since $stage $verb for $holder: exit $(< "$job/exit") after $(seconds_since "$job/mark") s"; cat "$job/output"; } >> "$log"
}

run() {
  exec >> "$job/output" 2>&1 < /dev/null
  # Nobody's login environment: the same on every machine and for every user.
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 JOB_RESULT="$job/result.json"
  # In a shell of its own, which a script may leave and trap as it likes.
  (
    # shellcheck source=/dev/null
    source "$job/parameters"
    : > "$job/parameters"
    # shellcheck source=/dev/null
    source "$job/script" "$1"
  )
  echo $? > "$job/exit"
}

case $1 in
  stopped) stopped ;;
  *) run "$1" ;;
esac
