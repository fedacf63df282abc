# A block of lines in a file that others write too. Only the block is ours, whatever happens to the lines around it.

block_begin="# BEGIN pulumi-kubeadm"
block_end="# END pulumi-kubeadm"

# Sets `inside` and `outside` to the text in the block and around it; 1 when the file has none.
split_block() {
  local text line state=before
  inside="" outside=""
  read_file "$1" || return 1
  while [[ $text ]]; do
    line=${text%%"$newline"*}
    [[ $text != *"$newline"* ]] || line+=$newline
    text=${text#"$line"}
    case $state:${line%"$newline"} in
      "before:$block_begin"*) state=in ;;
      "in:$block_end"*) state=after ;;
      in:*) inside+=$line ;;
      *) outside+=$line ;;
    esac
  done
  # Without its end, where the block ends is anybody's guess: its lines stay.
  [[ $state != in ]] || outside+=$inside
  [[ $state == after ]] || inside=""
  [[ $state != before ]]
}

# put_block STAGE PATH TEXT: at the end of the file.
put_block() {
  local stage=$1 path=$2 content=$3 inside outside
  if split_block "$path" && [[ $inside == "$content" ]]; then return 0; fi
  if [[ $outside && $outside != *"$newline" ]]; then
    ledger "$stage" block "$path" joined
    outside+=$newline
  else
    ledger "$stage" block "$path" whole
  fi
  replace_file "$path" "$outside$block_begin: kept by the tool of that name; change it there$newline$content$block_end$newline"
}

undo_block() {
  local path=$1 inside outside
  rm -f -- "$path$part_suffix"
  split_block "$path" || return 0
  # The last line had no end of line before ours came after it.
  [[ $2 != joined ]] || outside=${outside%"$newline"}
  replace_file "$path" "$outside" && return
  warning "the block in $path could not be taken out"
  return 1
}
