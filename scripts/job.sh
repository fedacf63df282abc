# On the machine, over SSH: starts its one job, takes up the one that runs, follows it to its end. The unit's name is the lock.
#
# Parameters: JOB_ACTION    start   start the job, or take up the same one; then follow it. Tells who is at work if it is another
#                           follow  follow the job JOB_RUN from the line after JOB_LINES
#                           wait    until no job runs
#             JOB_MARK      starts each line that this file prints, and names the run that it starts
#             start:  JOB_ID JOB_STAGE JOB_VERB JOB_SINCE JOB_HOLDER JOB_SCRIPT JOB_PARAMETERS JOB_RUNNER JOB_DEADLINE (seconds)
#             follow: JOB_RUN JOB_LINES JOB_BOOT
#
# Prints, each behind JOB_MARK: `started|adopted|following RUN BOOT`, then the output, then `exit STATUS LINES` and the result;
# or `busy` and four lines about the holder; `refused` and the reason; `rebooted`; `gone`.

unit=pulumi-kubeadm.service
# Prefix of all paths. Only tests set it: sudo lets no variable of the user through.
root=${PULUMI_KUBEADM_ROOT:-}
base=$root/run/pulumi-kubeadm
job=$base/job
logs=$root/var/log/pulumi-kubeadm
read -r boot < "$root/proc/sys/kernel/random/boot_id"

say() { printf '%s %s\n' "$JOB_MARK" "$*"; }

refuse() {
  say refused
  printf '%s\n' "$1"
  exit 0
}

# Sets `active` (true or false) and `pid` (0 when its process is gone).
look_at_unit() {
  local name value
  active=false pid=0
  while IFS='=' read -r name value; do
    case $name=$value in
      ActiveState=inactive | ActiveState=failed) active=false ;;
      ActiveState=*) active=true ;;
      MainPID=*) pid=$value ;;
    esac
  done < <(systemctl show --property=ActiveState,MainPID "$unit")
}

# Prints the output from the line after $1 until the process `pid` has ended, then how it ended. Reads what it opened at the start:
# the next job may begin the moment this one is over.
follow() {
  local output exit_status result status all
  exec {output}< "$job/output" {exit_status}< "$job/exit" {result}< "$job/result.json"
  if [[ -n ${lock:-} ]]; then exec {lock}>&-; fi
  if (( pid > 0 )); then
    tail -n "+$(($1 + 1))" -s 0.1 --pid="$pid" -f "/dev/fd/$output"
  else
    tail -n "+$(($1 + 1))" "/dev/fd/$output"
  fi
  # A process that was killed leaves it to the unit's ExecStopPost to say so.
  until [[ -s /dev/fd/$exit_status ]]; do
    look_at_unit
    $active || break
    sleep 0.2
  done
  read -r status < "/dev/fd/$exit_status" || status=unknown
  mapfile -t all < "/dev/fd/$output"
  say exit "$status" "${#all[@]}"
  if [[ -s /dev/fd/$result ]]; then cat "/dev/fd/$result"; fi
}

# One client at a time decides whether a job is to be started.
take_lock() {
  umask 077
  mkdir -p "$base" || refuse "$base cannot be made"
  exec {lock}> "$base/lock" || refuse "$base/lock cannot be opened"
  flock "$lock"
}

write_job() {
  local error
  error=$({
    rm -rf "$job" && mkdir "$job" &&
      printf '%s\n' "$JOB_ID" > "$job/id" && printf '%s\n' "$JOB_MARK" > "$job/mark" &&
      printf '%s\n' "$JOB_STAGE" "$JOB_VERB" "$JOB_SINCE" "$JOB_HOLDER" > "$job/holder" &&
      printf '%s' "$JOB_SCRIPT" > "$job/script" && printf '%s' "$JOB_PARAMETERS" > "$job/parameters" &&
      printf '%s' "$JOB_RUNNER" > "$job/run" && : > "$job/output" && : > "$job/exit" && : > "$job/result.json"
  } 2>&1) || refuse "$job cannot be written: $error"
  # A full disk is no reason not to start: the job may be the one that makes room.
  { mkdir -p "$logs" && : >> "$logs/$JOB_STAGE.log"; } 2>/dev/null || true
}

start() {
  local lock id run error
  take_lock
  look_at_unit
  # A job that is over is cleared up by systemd in a moment.
  while $active && (( pid == 0 )); do
    sleep 0.1
    look_at_unit
  done
  if $active; then
    read -r id < "$job/id"
    read -r run < "$job/mark"
    if [[ $id == "$JOB_ID" ]]; then
      say adopted "$run" "$boot"
      follow 0
    else
      say busy
      cat "$job/holder"
    fi
    return
  fi
  write_job
  # --collect: also a failed unit goes away, so that the name is free again. The unit ends by itself when its time is over, even when
  # nobody follows it any more.
  error=$(systemd-run --quiet --no-ask-password --collect --unit="$unit" --description="pulumi-kubeadm: $JOB_STAGE $JOB_VERB" \
    --service-type=exec --property=RuntimeMaxSec="$JOB_DEADLINE" --property=TimeoutStopSec=20 \
    --property=ExecStopPost="/bin/bash $job/run stopped" \
    /bin/bash "$job/run" "$JOB_VERB" 2>&1 {lock}>&-) || { rm -f "$job/parameters"; refuse "systemd-run: $error"; }
  look_at_unit
  say started "$JOB_MARK" "$boot"
  follow 0
}

follow_run() {
  local lock run=""
  take_lock
  if [[ $boot != "$JOB_BOOT" ]]; then
    say rebooted
    return
  fi
  if [[ -e $job/mark ]]; then read -r run < "$job/mark"; fi
  if [[ $run != "$JOB_RUN" ]]; then
    say gone
    return
  fi
  look_at_unit
  say following "$run" "$boot"
  follow "$JOB_LINES"
}

wait_for_unit() {
  look_at_unit
  while $active; do
    # An empty tail that ends with the process; the short rest, while systemd clears up, is asked for.
    if (( pid > 0 )); then tail -s 0.2 --pid="$pid" -f /dev/null; else sleep 0.1; fi
    look_at_unit
  done
}

case $JOB_ACTION in
  start) start ;;
  follow) follow_run ;;
  wait) wait_for_unit ;;
esac
