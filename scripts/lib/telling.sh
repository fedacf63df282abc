# Telling, and the end of a script: what machine/job.ts reads from the log. All of it goes to standard error, so that standard output
# holds documents only.

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
