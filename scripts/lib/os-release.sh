# Sets os_id and os_codename, as repositories name them.
read_os_release() {
  local key value file=/etc/os-release
  os_id="" os_codename=""
  while IFS='=' read -r key value; do
    value=${value#[\"\']} value=${value%[\"\']}
    case $key in
      ID) os_id=$value ;;
      VERSION_CODENAME) os_codename=$value ;;
    esac
  done < "$file"
}
