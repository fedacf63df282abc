# Packages at wanted versions: installed, held, and gone again.

# read_packages NAME…: sets package_version[NAME] and package_held[NAME] for those that are wholly installed.
declare -A package_version=() package_held=()
read_packages() {
  local status version name
  package_version=() package_held=()
  while read -r status name version; do
    [[ $status == ?i ]] || continue
    package_version[$name]=$version
    [[ $status != h* ]] || package_held[$name]=yes
  done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' "$@" 2>/dev/null)
}

# The exact version that was installed for a wanted one, so that a later revision that somebody installs is seen as what it is.
remembered_version() {
  local version=""
  [[ -r $state_dir/packages/$1 ]] && read -r version < "$state_dir/packages/$1"
  # shellcheck disable=SC2053 # the wanted version is a pattern
  [[ $version && $version == $2 ]] && printf '%s' "$version"
}

# package_drift NAME PATTERN: installed, at that version, and held. read_packages has been called.
package_drift() {
  local name=$1 pattern=$2 version=${package_version[$1]:-} wanted
  wanted=$(remembered_version "$name" "$pattern") || wanted=$pattern
  if [[ -z $version ]]; then
    drift "$name is not installed"
    return
  fi
  # shellcheck disable=SC2053 # the wanted version is a pattern
  [[ $version == $wanted ]] || drift "$name is $version, wanted ${wanted%-\*}"
  [[ ${package_held[$name]:-} ]] || drift "$name is not held at its version"
}

# True for a package that came with us.
package_is_ours() {
  local file line
  for file in "$ledger_dir"/*; do
    while IFS=$tab read -r -a line; do
      [[ ${line[0]} != packages || " ${line[1]} " != *" $1 "* ]] || return 0
    done < "$file"
  done
  return 1
}

install_options=(--no-remove --allow-downgrades --allow-change-held-packages)

# Sets `plan` to what an installation would do.
plan_install() { plan=$(apt-get -s "${apt_options[@]}" "${install_options[@]}" install "$@" 2>&1); }

# Notes the version that each has now.
remember_versions() {
  local name
  umask 077
  mkdir -p "$state_dir/packages"
  umask 022
  for name in "$@"; do printf '%s\n' "${package_version[$name]}" > "$state_dir/packages/$name"; done
}

# install_packages STAGE NAME=PATTERN…: at these versions, and noted in the ledger with what else comes along. What fits already stays.
install_packages() {
  local stage=$1 plan name names=() reach spec pattern exact=() patterns=() installed="" apt_output=""
  shift
  read_packages "${@%%=*}"
  for spec in "$@"; do
    name=${spec%%=*}
    pattern=$(remembered_version "$name" "${spec#*=}") || pattern=${spec#*=}
    # shellcheck disable=SC2053 # a pattern it is
    if [[ ${package_version[$name]:-} && ${package_version[$name]} == $pattern ]]; then
      remember_versions "$name"
    else
      names+=("$name")
      # Any version is no version in apt's words.
      exact+=("${name}=$pattern") exact=("${exact[@]%=\*}")
      patterns+=("${spec%=\*}")
    fi
  done
  ((${#names[@]} > 0)) || return 0
  need_packages
  ledger_lists "$stage"
  # The machine's own repositories are only asked when ours are not enough, as when a package there has moved on.
  for reach in none ours all; do
    case $reach in
      none) [[ ! $repository_changed ]] || continue ;;
      ours) update_lists || explain_apt "the lists of packages could not be fetched" ;;
      all) update_lists all || true ;;
    esac
    # The very revision of before may have left the repository.
    if plan_install "${exact[@]}" || { [[ $reach == all ]] && exact=("${patterns[@]}") && plan_install "${exact[@]}"; }; then
      note_plan "$stage"
      progress "installing ${names[*]}"
      note_accounts
      ! apt_get "${install_options[@]}" install "${exact[@]}" || installed=yes
      ledger_accounts "$stage"
      [[ ! $installed && $apt_output == *"Failed to fetch"* ]] || break
    else
      apt_output=$plan
      printf '%s\n' "$plan" >&2
    fi
  done
  [[ $installed ]] || explain_apt "${names[*]} could not be installed"
  repository_changed=""
  read_packages "${names[@]}"
  remember_versions "${names[@]}"
}

# What the plan brings that was not there goes again; what it changes cannot be changed back, since its old version may be nowhere.
note_plan() {
  local stage=$1 line name new=""
  while IFS= read -r line; do
    if [[ $line =~ ^Inst\ ([^ ]+)\ \[([^]]+)\] ]]; then
      package_is_ours "${BASH_REMATCH[1]}" || ledger "$stage" version "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    elif [[ $line =~ ^Inst\ ([^ ]+)\ \( ]]; then
      new+=${new:+ }${BASH_REMATCH[1]}
    fi
  done <<< "$plan"
  [[ -z $new ]] || ledger "$stage" packages "$new"
}

# hold_packages STAGE NAME…
hold_packages() {
  local stage=$1 name free=()
  shift
  read_packages "$@"
  for name in "$@"; do [[ ${package_held[$name]:-} ]] || free+=("$name"); done
  ((${#free[@]} > 0)) || return 0
  ledger "$stage" hold "${free[*]}"
  apt-mark hold "${free[@]}" >&2
}

undo_hold() {
  local names=() name
  read -r -a names <<< "$1"
  read_packages "${names[@]}"
  names=("${!package_held[@]}")
  ((${#names[@]} > 0)) || return 0
  apt-mark unhold "${names[@]}" >&2 && return
  warning "${names[*]} could not be released from being held"
  return 1
}

undo_version() {
  read_packages "$1"
  [[ ${package_version[$1]:-$2} == "$2" ]] || warning "$1 was $2 before and stays at ${package_version[$1]}"
}

# Purges packages that came with us. One that something else needs by now stays, with those that it needs.
undo_packages() {
  local names=() name left=() status plan output="" opt_mode=""
  read -r -a names <<< "$1"
  while read -r status name; do [[ $status == ?n ]] || left+=("$name"); done \
    < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${names[@]}" 2>/dev/null)
  ((${#left[@]} > 0)) || return 0
  need_packages
  progress "removing ${left[*]}"
  # No package of Debian's has /opt in its list: it goes with the last one that has something there.
  [[ ! -d /opt ]] || opt_mode=$(stat -c %a /opt)
  plan=$(apt-get -s "${apt_options[@]}" purge "${left[@]}" 2>&1) || true
  while read -r status name _; do
    [[ $status != Purg && $status != Remv || " ${left[*]} " == *" $name "* ]] || output+=" $name"
  done <<< "$plan"
  if [[ $output ]]; then
    # dpkg takes each for itself and leaves those that are needed.
    output=$(dpkg --force-remove-reinstreq --purge "${left[@]}" 2>&1) || true
    printf '%s\n' "$output" >&2
  else
    apt_get --allow-change-held-packages purge "${left[@]}" || dpkg --force-remove-reinstreq --purge "${left[@]}" >&2 || true
  fi
  [[ ! $opt_mode || -d /opt ]] || mkdir -m "$opt_mode" /opt
  names=("${left[@]}") left=()
  while read -r status name; do
    [[ $status != ?n ]] || continue
    if [[ $output == *"dependency problems prevent removal of $name"* ]]; then
      warning "$name stays: something that was installed since needs it"
    else
      left+=("$name")
    fi
  done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${names[@]}" 2>/dev/null)
  ((${#left[@]} > 0)) || return 0
  warning "${left[*]} could not be removed"
  return 1
}
