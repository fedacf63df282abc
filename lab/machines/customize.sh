#!/bin/sh
# Makes a bare Debian tree look like the small cloud VM that the lab boots.
# Called by lab/machines/base.ts: customize.sh TREE UML_TREE OVERLAY; users come as lines
# "name password-or-dash" on standard input.
set -eu
tree=$1 uml=$2 overlay=$3

# Links to a generic /proc are needed by systemctl and useradd; the mount namespace is ours (unshare).
mount -t proc proc "$tree/proc"

version=$(ls "$uml/usr/lib/uml/modules")
mkdir -p "$tree/usr/lib/modules"
cp -r "$uml/usr/lib/uml/modules/$version" "$tree/usr/lib/modules/$version"
chroot "$tree" depmod "$version"

# This kernel has xtables, but no nf_tables for IPv4.
chroot "$tree" update-alternatives --quiet --set iptables /usr/sbin/iptables-legacy
chroot "$tree" update-alternatives --quiet --set ip6tables /usr/sbin/ip6tables-legacy

while read -r user password; do
  chroot "$tree" useradd --create-home --shell /bin/bash --groups sudo "$user"
  [ "$password" = - ] || printf '%s:%s\n' "$user" "$password" | chroot "$tree" chpasswd
done

rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/apt/sources.list" "$tree/etc/hostname"
cp -r --no-preserve=ownership,timestamps "$overlay/." "$tree/"
chown -R root:root "$tree/etc/sudoers.d" "$tree/usr/lib/lab"
chmod 0440 "$tree/etc/sudoers.d/lab"
chmod 0755 "$tree"/usr/lib/lab/*

chroot "$tree" systemctl --quiet enable systemd-networkd systemd-resolved ssh lab-cpuinfo lab-identity
# Host keys come with the identity. Background apt runs and disk trims would only make timings differ.
chroot "$tree" systemctl --quiet disable sshd-keygen apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap fstrim.timer

: > "$tree/etc/machine-id"
umount "$tree/proc"
# Nothing to bring up to date (linker cache and the like) on the first boot.
touch "$tree/etc/.updated" "$tree/var/.updated"
