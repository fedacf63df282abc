# On any machine of a class: how it is, in one quick look. Nothing here may wait long or fail: a machine that students work on can be in
# any state, and each part of it that cannot be told is left out.

job=/run/pulumi-kubeadm/job

stage_inspect() {
  # A question that a machine cannot answer is a fact too, and ends nothing.
  set +e +o pipefail
  trap - ERR
  local owner joined=false by_hand=null parts=()
  need_work_dir || return
  read_owner
  [[ -s $config_dir/kubelet.conf ]] && joined=true
  if [[ $owner ]] && made_by_hand; then
    joined=false
    by_hand=$(describe_made_by_hand)
  fi
  # kubectl takes longest, so it goes on beside the rest.
  if [[ $joined == true && -s $config_dir/admin.conf ]]; then
    ask nodes &
    ask pods --all-namespaces &
  fi
  parts+=("\"owner\":$(json_string "$owner")" "\"stages\":$(begun_stages)" "\"joined\":$joined" "\"byHand\":$by_hand" "\"job\":$(running_job)" "\"disk\":$(disk)")
  parts+=("\"certificates\":[$(certificates)]")
  wait
  parts+=("\"cluster\":$(cluster)")
  local IFS=,
  printf '{%s}\n' "${parts[*]}"
}

# In the order in which they first changed something.
begun_stages() {
  local stage list=""
  if [[ -r $state_dir/order ]]; then
    while IFS= read -r stage; do list+=${list:+,}$(json_string "$stage"); done < "$state_dir/order"
  fi
  printf '[%s]' "$list"
}

# systemd keeps a link for each unit that is active; reading it starts no program. After the end of a job it clears
# up for a moment.
job_runs() { [[ -L /run/systemd/units/invocation:pulumi-kubeadm.service && -r $job/holder && ! -s $job/exit ]]; }

# The kit's job that runs now, with the last thing that it said it does; null without one.
running_job() {
  local stage verb since line doing=""
  if ! job_runs; then
    printf null
    return
  fi
  { read -r stage; read -r verb; read -r since; } < "$job/holder"
  while IFS= read -r line; do [[ $line != '==> '* ]] || doing=${line#==> }; done < <(tail -c 16384 "$job/output" 2>/dev/null)
  printf '{"stage":%s,"verb":%s,"since":%s,"doing":%s}' "$(json_string "$stage")" "$(json_string "$verb")" "$(json_string "$since")" "$(json_string "$doing")"
}

# Where images, containers and etcd's data go; null when it cannot be told.
disk() {
  local available="" size=""
  { read -r _; read -r available size; } < <(df -B1 --output=avail,size /var/lib 2>/dev/null)
  if [[ $available && $size ]]; then printf '{"availableBytes":%s,"sizeBytes":%s}' "$available" "$size"; else printf null; fi
}

# ask KIND…: what kubectl says, into a file; that it could not be asked, into another.
ask() {
  timeout 20 kubectl --kubeconfig "$config_dir/admin.conf" --request-timeout=10s get "$@" --no-headers > "$work_dir/$1" 2> "$work_dir/$1.error" || : > "$work_dir/$1.failed"
}

# What the cluster says of its nodes and of the pods that do not run, in the lines of `kubectl get`; or why it says nothing. null on a
# machine that cannot ask.
cluster() {
  local kind error
  if [[ ! -e $work_dir/nodes ]]; then
    printf null
    return
  fi
  for kind in nodes pods; do
    [[ -e $work_dir/$kind.failed ]] || continue
    # The lines before the last tell each try.
    error=$(tail -n 1 "$work_dir/$kind.error")
    printf '{"error":%s}' "$(json_string "${error:-kubectl did not answer within 20 s}")"
    return
  done
  printf '{"nodes":%s,"pods":%s}' "$(json_string "$(< "$work_dir/nodes")")" "$(json_string "$(unwell_pods)")"
}

# Of a hundred thousand pods those that run well are no news.
unwell_pods() {
  local namespace name ready status rest
  while read -r namespace name ready status rest; do
    [[ $status == Completed || ($status == Running && ${ready%/*} == "${ready#*/}") ]] || printf '%s\n' "$namespace $name $ready $status $rest"
  done < "$work_dir/pods"
}
