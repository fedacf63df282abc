#!/bin/bash
# Everything of a machine that a cluster could leave behind, one line per thing, so that two of them can be compared.
# Runs as root; prints `section<TAB>thing`.
set -uo pipefail
section() { sed "s|^|$1\t|"; }

dpkg-query -W -f='${Package} ${Version} ${db:Status-Abbrev}\n' | section package
apt-mark showhold | section hold
apt-mark showmanual | section manual-package
find /etc /opt /var/lib /usr/local -xdev \( -type f -printf '%p %m %u:%g ' -exec sh -c 'sha256sum < "$1" | cut -c1-16' _ {} \; \) \
  -o \( -type l -printf '%p -> %l\n' \) -o \( -type d -printf '%p/ %m %u:%g\n' \) 2> /dev/null | section file
# Counters, random values and figures of the moment say nothing of what was changed.
sysctl -a 2> /dev/null | grep -vE '^(fs\.(dentry-state|inode-nr|inode-state|file-nr|quota)|kernel\.(random|ns_last_pid|pty\.nr|tainted|core_modes)|net\.netfilter\.nf_conntrack_count|dev\.cdrom|vm\.stat_refresh|kernel\.sched_domain|net\.ipv4\.tcp_(fastopen_key|available))' | section sysctl
systemctl list-unit-files --no-legend --no-pager --plain | awk '{print $1, $2}' | section unit-file
systemctl list-units --no-legend --no-pager --plain --type=service,socket,timer --state=active,failed | awk '{print $1, $3}' | section unit
getent passwd | section user
getent group | section group
findmnt -rno TARGET,FSTYPE | section mount
ip -o link | awk '{print $2, $9}' | section link
ip -o addr | awk '{print $2, $3, $4}' | grep -v fe80 | section address
ip route show table all | grep -v ' fe80\|^multicast\|ff00::' | section route
{ iptables-save; ip6tables-save; } 2> /dev/null | grep -vE '^(#|:.*\[)' | section firewall
lsmod | awk 'NR > 1 {print $1}' | section module
ss -Hlntu | awk '{print $1, $5}' | section listening
swapon --noheadings --show=NAME | section swap
find /root /home -xdev -printf '%p %m %u:%g\n' | section home
find /var/log /run -maxdepth 1 -printf '%p\n' | section run-or-log
