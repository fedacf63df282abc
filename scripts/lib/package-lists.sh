# The lists of packages that apt fetches from its repositories.

# The lists of packages that apt had, before we fetch any: the others go again.
ledger_lists() {
  local file files=()
  ledger_has "$1" lists lists && return
  for file in /var/lib/apt/lists/*; do files+=("${file##*/}"); done
  ledger "$1" lists lists "${files[*]}"
}

undo_lists() {
  local before=" $1 " file
  for file in /var/lib/apt/lists/*; do
    [[ -d $file || $file == */lock || $before == *" ${file##*/} "* ]] || rm -f -- "$file"
  done
}

# Fetches the lists of our repositories, or with `all` those of the machine too.
update_lists() {
  local options=() file
  progress "fetching the lists of packages"
  if [[ ${1:-} != all ]]; then
    need_work_dir
    rm -rf "$work_dir/sources"
    mkdir "$work_dir/sources"
    for file in /etc/apt/sources.list.d/pulumi-kubeadm-*.sources; do cp "$file" "$work_dir/sources/"; done
    options=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work_dir/sources" -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any)
  fi
  apt_get "${options[@]}" update
}
