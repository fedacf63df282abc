# ~/.kube/config of a user, for that user's eyes only. One that holds the wanted certificate stays, whatever else the user has put into it.
#
# Parameters: LOGIN           the user
#             CERTIFICATE     its client certificate, as it stands in the file
#             KUBECONFIG_KEY  text of the file, a secret

stage_apply() {
  local name home file part text
  IFS=: read -r name _ _ _ _ home _ < <(getent passwd "$LOGIN") || true
  [[ $name == "$LOGIN" ]] || fail "there is no user $LOGIN" "run 'classroom up' for this student: it makes the user"
  file=$home/.kube/config
  # With the user's own rights: nothing that the user has put there leads root astray.
  text=$(as_user cat "$file" 2>/dev/null) || true
  [[ $text != *"$CERTIFICATE"* ]] || return 0
  # The home directory of a user whom we have made goes as a whole.
  if ! ledger_has "login-$LOGIN" login "$LOGIN"; then
    ledger_directory "login-$LOGIN" "$home/.kube"
    ledger_file "login-$LOGIN" "$file"
  fi
  # shellcheck disable=SC2016 # for the other shell
  as_user bash -c 'umask 077; mkdir -p "${1%/*}" && cat > "$1.part" && mv -f "$1.part" "$1"' bash "$file" <<< "$KUBECONFIG_KEY"
}

as_user() { runuser -u "$LOGIN" -- "$@"; }
