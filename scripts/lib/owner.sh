# Whose machine this is: project/stack/cluster.
owner_file=$state_dir/owner

# Sets `owner`; empty on a machine that belongs to nobody.
read_owner() {
  owner=""
  [[ ! -r $owner_file ]] || read -r owner < "$owner_file" || true
}
