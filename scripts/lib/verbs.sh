# stage_main VERB: the last line of every script that is sent calls it.
stage_main() {
  case ${1:-} in
    inspect) stage_inspect ;;
    apply) stage_apply ;;
    remove) stage_remove ;;
    *) fail "no such verb: ${1:-none}" "use inspect, apply or remove" ;;
  esac
}
