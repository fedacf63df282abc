HOSTS='10.0.0.11 cp1
10.0.0.21 w1
10.0.0.11 kubernetes-api.internal
'
ENDPOINT_NAME='kubernetes-api.internal'
ENDPOINT_ADDRESS='10.0.0.11'
# scripts/lib/

# The API's name and the nodes' names in /etc/hosts, as a block whose lines around it are others'. Where cloud-init writes that file anew at
# every start (manage_etc_hosts), it does so from a template, which gets the block too.
#
# Parameters: HOSTS  lines of /etc/hosts
#             ENDPOINT_NAME, ENDPOINT_ADDRESS  the API's name, and the address that it must stand for; empty where others resolve it

files() { hosts_files=(/etc/hosts /etc/cloud/templates/hosts.*.tmpl); }

stage_inspect() {
  local file inside outside hosts_files address
  files
  for file in "${hosts_files[@]}"; do
    if ! split_block "$file"; then
      drift "$file lacks the names of the cluster"
    elif [[ $inside != "$HOSTS" ]]; then
      drift "the names of the cluster in $file differ from what was written"
    fi
  done
  address=$(foreign_address)
  [[ -z $address ]] || drift "/etc/hosts gives $ENDPOINT_NAME the address $address too, wanted only $ENDPOINT_ADDRESS"
  print_inspection names "{}"
}

# Another line than ours that names the endpoint with another address.
foreign_address() {
  local inside outside line address names
  [[ $ENDPOINT_ADDRESS ]] || return 0
  split_block /etc/hosts || true
  while IFS= read -r line; do
    read -r address names <<< "${line%%#*}"
    if [[ " $names " == *" $ENDPOINT_NAME "* && $address != "$ENDPOINT_ADDRESS" ]]; then
      printf '%s' "$address"
      return
    fi
  done <<< "$outside"
}

stage_apply() {
  local file hosts_files address
  is_as_wanted && return
  address=$(foreign_address)
  [[ -z $address ]] ||
    fail "/etc/hosts gives $ENDPOINT_NAME the address $address" "take that line out of /etc/hosts, or choose another endpoint.name, and run 'pulumi up' again"
  files
  for file in "${hosts_files[@]}"; do
    [[ -e $file ]] || put_file names "$file" ""
    put_block names "$file" "$HOSTS"
  done
  confirm
}

stage_remove() {
  ledger_undo names
  undo_ended
}

stage_main "$@"
