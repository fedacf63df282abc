# What a machine is like, a line for each thing, so that what it was like before and is like afterwards can be compared line by line.
# Changes nothing and leaves the processor and the disk to others. Of a file's contents it keeps a digest, never the text.
#
# A line is SECTION, KEY and VALUE, parted by tabs. What a line means is told in machine/fingerprint/.
#
# Parameters: none

# Where packages, people and clusters put what stays.
file_roots=(/etc /opt /var/lib /usr/local)
# Storage of containers: what is directly in it says enough, and all of it would be millions of files.
storage='/var/lib/(containerd|containers|docker|etcd|kubelet|rancher|snapd)'

stage_inspect() {
  # What a machine cannot tell is missing in both of its fingerprints.
  set +e +o pipefail
  trap - ERR
  need_work_dir || return
  renice -n 10 -p $$ > /dev/null 2>&1
  ionice -c 2 -n 7 -p $$ > /dev/null 2>&1
  printf '{"stage":"fingerprint","gzip":"%s"}\n' "$(all_sections | LC_ALL=C sort -u | gzip -c | base64 -w 0)"
}

all_sections() {
  # Before anything else, since some questions below load a module.
  [[ ! -r /proc/modules ]] || sed 's/ .*/\t/; s/^/module\t/' /proc/modules
  packages
  files
  kernel_settings
  units
  accounts
  network
  findmnt -rno TARGET,FSTYPE | awk '{ print "mount\t" $1 "\t" $2 }'
  swapon --noheadings --raw --show=NAME | sed 's/^/swap\t/; s/$/\t/'
  # What is theirs in the homes of people: names are enough, and not all of them.
  { find /root -xdev -maxdepth 2 -printf 'home\t%p\t%y %m %u:%g\0'; find /home -xdev -maxdepth 3 -printf 'home\t%p\t%y %m %u:%g\0'; } 2> /dev/null | one_line_each
  # Of these two only what is directly in them: the rest comes and goes.
  find /var/log /run -mindepth 1 -maxdepth 1 ! -name 'pulumi-kubeadm-work.*' -printf 'passing\t%p\t%y\0' 2> /dev/null | one_line_each
}

# From entries that end with NUL; a name may hold a line break.
one_line_each() { tr '\n\0' '?\n'; }

packages() {
  dpkg-query -W -f 'package\t${binary:Package}\t${Version} ${db:Status-Abbrev}\n'
  apt-mark showhold | sed 's/^/hold\t/; s/$/\t/'
  apt-mark showmanual | sed 's/^/manual-package\t/; s/$/\t/'
}

# Kind, mode, owner, and what is in it: the digest of a file, the target of a link. Of a large file its size and time.
files() {
  local digests=$work_dir/digests
  find "${file_roots[@]}" -xdev -regextype posix-extended -regex "$storage/.*/.*" -prune -o -type f -size -2049k -print0 2> /dev/null |
    xargs -0 -r sha256sum -z 2> /dev/null | one_line_each > "$digests"
  find "${file_roots[@]}" -xdev -regextype posix-extended -regex "$storage/.*/.*" -prune -o \
    -printf '%p\t%y\t%m %u:%g\t%s %Ts\t%l\0' 2> /dev/null | one_line_each |
    awk -F '\t' -v digests="$digests" '
      BEGIN { while ((getline line < digests) > 0) digest[substr(line, 67)] = substr(line, 1, 16) }
      $2 == "f" { print "file\t" $1 "\tf " $3 " " ($1 in digest ? digest[$1] : $4); next }
      $2 == "l" { print "file\t" $1 "\tl -> " $5; next }
      { print "file\t" $1 "\t" $2 " " $3 }'
}

# Counters, random values and figures of the moment say nothing of what was changed.
kernel_settings() {
  sysctl -a 2> /dev/null |
    grep -vE '^(dev\.cdrom|fs\.(aio-nr|binfmt_misc|dentry-state|file-nr|inode-nr|inode-state|quota)|kernel\.(core_modes|ns_last_pid|perf_cpu_time_max_percent|perf_event_max_sample_rate|pty\.nr|random|sched_domain|tainted)|net\.ipv4\.tcp_(available|fastopen_key)|net\.netfilter\.nf_conntrack_count|vm\.stat_refresh)' |
    tr '\t' ' ' | sed 's/ = /\t/; s/^/sysctl\t/'
}

# What is to start, and what runs of it. Services that are only started on request come and go by themselves; those that have done their
# work at the start of the machine (exited) do not run.
units() {
  local list=$work_dir/units
  systemctl list-unit-files --no-legend --no-pager --plain | awk '$2 != "transient" { print $1 "\t" $2 }' > "$list"
  sed 's/^/unit\t/' "$list"
  systemctl list-units --no-legend --no-pager --plain --type=service,socket,timer --state=active,failed |
    awk -v list="$list" '
      BEGIN { while ((getline line < list) > 0) { split(line, part, "\t"); state[part[1]] = part[2] } }
      {
        if ($4 == "exited") next
        name = $1
        if (!(name in state)) sub(/@.*\./, "@.", name)
        if (state[name] !~ /^(|static|indirect|alias)$/) print "running\t" $1 "\t" $3
      }'
}

# Without passwords, which are not in these files.
accounts() {
  awk -F : '{ print "user\t" $1 "\t" $3 ":" $4 " " $6 " " $7 }' /etc/passwd
  awk -F : '{ print "group\t" $1 "\t" $3 " " $4 }' /etc/group
}

network() {
  local variant
  ip -o link | awk '{ sub(/@.*|:$/, "", $2); print "link\t" $2 "\t" }'
  # Link-local addresses and those that a machine draws for privacy are its own affair.
  ip -o address | awk '!/ (fe80:|temporary)/ { print "address\t" $4 " on " $2 "\t" }'
  # A route that was announced says how long it is good for.
  { ip -4 route show table all; ip -6 route show table all; } |
    sed -E '/^(local |anycast )?fe80|^multicast|^ff00/d; s/ expires [^ ]+//; s/ +$//; s/^/route\t/; s/$/\t/'
  for variant in iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft; do
    command -v "$variant-save" > /dev/null && "$variant-save" 2> /dev/null | packet_filter "$variant"
  done
  command -v nft > /dev/null && nft -s list ruleset 2> /dev/null | nftables
  # The ports above are drawn for a moment, unless something waits for connections there.
  ss -Hlntup | awk '{
    port = $5; sub(/.*:/, "", port)
    process = match($7, /"[^"]+"/) ? substr($7, RSTART + 1, RLENGTH - 2) : ""
    if ($1 == "tcp" || port < 32768) print "port\t" $1 " " $5 "\t" process
  }'
}

# Rules, chains that somebody made, and built-in chains that let not all through; not the tables that come with the first question.
packet_filter() {
  awk -v variant="$1" '
    /^\*/ { table = substr($1, 2); next }
    /^:/ { if ($2 != "ACCEPT") print "firewall\t" variant " " table " " substr($1, 2) " " $2 "\t"; next }
    /^-A/ { print "firewall\t" variant " " table " " $0 "\t" }'
}

# The same of nftables, less the tables that iptables-nft keeps there.
nftables() {
  awk '
    /^table/ { table = $2 " " $3; ours = table !~ /^ip6? (filter|nat|mangle|raw|security)$/; next }
    /^\t(chain|set|map) / { place = $2 " " $1; if (ours) print "firewall\tnft " table " " place "\t"; next }
    /^\t\t/ && ours { line = $0; gsub(/^[ \t]+|[ \t]+$/, "", line); gsub(/\t/, " ", line); if (line != "}") print "firewall\tnft " table " " place ": " line "\t" }'
}
