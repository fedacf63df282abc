# Takes the machine out of its cluster; the stages stay. A machine that is to be a node of the same cluster again is marked until it is
# one, so that whoever comes next goes on with it; on a control plane the keys of the cluster's CA are kept for that time.
#
# Parameters: OWNER    project/stack/cluster, whose cluster that is
#             RENEW    yes: the machine is to be a node again
#             CA_CERT  with RENEW on a control plane: the certificate, PEM, of the CA whose keys are kept; empty on a worker

# What there is to take away, and whether the CA's keys can be kept.
stage_inspect() {
  local owner by_hand=null ca="" from=$pki
  read_owner
  [[ $owner != "$OWNER" ]] || ! made_by_hand || by_hand=$(describe_made_by_hand)
  [[ ! -d $kept_keys ]] || from=$kept_keys
  [[ ! -s $from/ca.crt || ! -s $from/ca.key ]] || ca=$(base64 -w0 "$from/ca.crt")
  print_inspection reset "{\"owner\":$(json_string "$owner"),\"byHand\":$by_hand,\"caCert\":$(json_string "$ca")}"
}

# Only the mark: on all machines, before the control plane's data goes.
stage_apply() {
  local owner
  must_be_ours
  : > "$reset_begun"
}

stage_remove() {
  local owner
  if [[ ! $RENEW ]]; then
    read_owner
    if [[ $owner && $owner != "$OWNER" ]]; then
      progress "the machine belongs to $owner by now: nothing of ours is on it"
      return
    fi
    rm -rf "$kept_keys" "$reset_begun"
    node_reset
  else
    must_be_ours
    : > "$reset_begun"
    if [[ $CA_CERT ]]; then
      keep_keys
      # What is left from here on is a control plane that is to be begun anew.
      : > "$control_plane_begun"
      rm -f "$control_plane_ended"
    fi
    node_reset
  fi
  undo_ended
}

must_be_ours() {
  read_owner
  [[ $owner == "$OWNER" ]] || fail "the machine belongs to ${owner:-nobody} by now" "see who works on it; 'pulumi up' takes a machine that nobody has"
}

# A directory that is whole or not there: what is in it must outlive a power cut in the middle.
keep_keys() {
  local pair file
  if [[ ! -d $kept_keys ]]; then
    umask 077
    rm -rf "$kept_keys.new"
    mkdir -p "$kept_keys.new"
    # A certificate without its key would be an external CA for kubeadm, so only both or none.
    for pair in "ca.crt ca.key" "front-proxy-ca.crt front-proxy-ca.key" "sa.pub sa.key"; do
      [[ -s $pki/${pair% *} && -s $pki/${pair#* } ]] || continue
      for file in $pair; do cp -aL -- "$pki/$file" "$kept_keys.new/$file"; done
    done
    umask 022
    [[ -s $kept_keys.new/ca.key ]] || { rm -rf "$kept_keys.new"; fail_without_keys; }
    sync "$kept_keys.new"/*
    mv -T -- "$kept_keys.new" "$kept_keys"
    sync "$state_dir"
  fi
  [[ $(< "$kept_keys/ca.crt") == "$CA_CERT" ]] || fail_without_keys
}

fail_without_keys() {
  fail "the keys of the cluster's CA are not on this machine" "reset it with a new CA: 'npx classroom reset STUDENT --new-ca', or 'pulumi destroy' and 'pulumi up'"
}
