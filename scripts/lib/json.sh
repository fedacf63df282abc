# A text as JSON has it, in quotes.
json_string() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$newline/\\n}
  text=${text//$tab/\\t}
  text=${text//$'\r'/\\r}
  text=${text//[[:cntrl:]]/}
  printf '"%s"' "$text"
}
