# Drift: what an inspection finds to be other than wanted, a sentence each.

drifts=()
drift() { drifts+=("$1"); }

# print_inspection STAGE FACTS: the one document of an inspection.
print_inspection() {
  local text list=""
  for text in "${drifts[@]}"; do list+=${list:+,}$(json_string "$text"); done
  printf '{"stage":%s,"drift":[%s],"facts":%s}\n' "$(json_string "$1")" "$list" "$2"
}

is_as_wanted() {
  drifts=()
  stage_inspect > /dev/null
  ((${#drifts[@]} == 0))
}

# The end of an apply: the same inspection as ever, which must find nothing.
confirm() {
  local text texts=""
  progress "checking"
  is_as_wanted && return
  for text in "${drifts[@]}"; do texts+=${texts:+$newline}$text; done
  fail "done, and still not as wanted:$newline$texts" "see whether something else on the machine changes it back, and run 'pulumi up' again"
}

file_drift() {
  if [[ ! -e $1 ]]; then
    drift "$1 is missing"
  elif ! file_is "$1" "$2"; then
    drift "$1 differs from what was written"
  fi
}
