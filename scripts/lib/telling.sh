# Telling, and the end of a script: what machine/job.ts reads from the log. All of it goes to standard error, so that standard output
# holds documents only.

# The next step where no better one is known.
usual_next="put right what the lines above name, and run 'pulumi up' again"
failure_told=""
failed_command=""
work_dir=""

progress() { printf '==> %s\n' "$*" >&2; }

warning() { printf 'warning: %s\n' "$*" >&2; }

# Ends the script: what went wrong, and what to do about it.
fail() {
  tell_failure "$1" "$2"
  exit 1
}

# The same for what may well go otherwise a moment later: EX_TEMPFAIL of sysexits.h, which machine/job.ts knows.
fail_for_now() {
  tell_failure "$1" "$2"
  exit 75
}

tell_failure() {
  failure_told=yes
  printf '!!! %s\n' "${1//$newline/$newline!!! }" >&2
  printf '>>> %s\n' "${2//$newline/$newline>>> }" >&2
}

# The document that the job hands back.
result() { printf '%s\n' "$1" > "$JOB_RESULT"; }

on_exit() {
  local status=$?
  [[ -z $work_dir ]] || rm -rf "$work_dir"
  ((status != 0)) && [[ ! $failure_told ]] || return 0
  tell_failure "\`${failed_command:-the script}\` ended with exit status $status" "$usual_next"
}
trap on_exit EXIT
trap 'failed_command=$BASH_COMMAND' ERR

# Sets work_dir to a directory on a tmpfs that is gone when the script ends.
need_work_dir() { [[ $work_dir ]] || work_dir=$(mktemp -d /run/pulumi-kubeadm-work.XXXXXX); }
