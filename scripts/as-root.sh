# The frame around every script that runs on a machine over SSH. Read and run by one line of machine/sudo.ts, with that exchange's
# mark as $0; `frame_bytes`, set in front of this text, is the length of the script that follows on the input.

echo "$0 begin" >&2
# Without a fork, and without a read call per byte: -N takes whole blocks.
IFS= read -r -N "${frame_bytes:?}" frame_script
unset LC_ALL
# A login as root may come without the directories of administration.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" HOME=/root LANG=C.UTF-8
(
  # shellcheck disable=SC2034 # the name in bash's own messages
  BASH_ARGV0=bash
  eval "$frame_script"
)
frame_code=$?
echo "$0 end" >&2
echo "$0 end $frame_code"
exit "$frame_code"
