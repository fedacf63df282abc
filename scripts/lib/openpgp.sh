# Fingerprints of all primary keys in an armored file, a line each. gpg is not on every machine (apt only needs a verifier), and the
# form is simple: RFC 9580, sections 4.2 (packets), 5.5.4 (fingerprints) and 6 (armor).
key_fingerprints() {
  local file=$1 bytes offset=0 first tag length head body version
  # Armor: the lines after the headers' empty line up to the checksum or the end.
  sed -n '/^-----BEGIN PGP PUBLIC KEY BLOCK-----/,/^-----END/p' "$file" | tr -d '\r' |
    sed -e '1,/^[[:space:]]*$/d' -e '/^=....$/d' -e '/^-----/d' | base64 -d > "$file.packets" 2>/dev/null || return 1
  bytes=$(od -An -v -tx1 "$file.packets" | tr -d ' \n')
  while ((offset * 2 < ${#bytes})); do
    first=$((16#${bytes:offset*2:2}))
    ((first & 0x80)) || return 1
    if ((first & 0x40)); then
      tag=$((first & 0x3f)) length=$((16#${bytes:offset*2+2:2})) head=2
      if ((length == 255)); then
        length=$((16#${bytes:offset*2+4:8})) head=6
      elif ((length >= 224)); then
        return 1
      elif ((length >= 192)); then
        length=$(((length - 192) * 256 + 16#${bytes:offset*2+4:2} + 192)) head=3
      fi
    else
      tag=$((first >> 2 & 0x0f))
      case $((first & 3)) in
        0) length=$((16#${bytes:offset*2+2:2})) head=2 ;;
        1) length=$((16#${bytes:offset*2+2:4})) head=3 ;;
        2) length=$((16#${bytes:offset*2+2:8})) head=5 ;;
        *) return 1 ;;
      esac
    fi
    if ((tag == 6)); then
      body=$((offset + head)) version=${bytes:(offset+head)*2:2}
      case $version in
        04) prefixed_digest sha1sum '99%04x' ;;
        06) prefixed_digest sha256sum '9b%08x' ;;
        *) return 1 ;;
      esac
    fi
    offset=$((offset + head + length))
  done
}

# Of a packet's body behind the octet and length that its fingerprint is counted with.
prefixed_digest() {
  local prefix digest
  # shellcheck disable=SC2059 # the form of the prefix is the caller's
  printf -v prefix "$2" "$length"
  # shellcheck disable=SC2001 # every pair of digits
  digest=$({
    printf '%b' "$(sed 's/../\\x&/g' <<< "$prefix")"
    tail -c "+$((body + 1))" "$file.packets" | head -c "$length"
  } | "$1")
  digest=${digest%% *}
  printf '%s\n' "${digest^^}"
}
