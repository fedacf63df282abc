#!/bin/sh
# Becomes one virtual machine: User Mode Linux in a chroot of the tree that it was packaged for (its C
# library is newer than that of older hosts). Runs in the lab's network namespace under `ip netns exec`,
# which gives it a mount namespace too, so every mount made here goes away together with the process.
# TREE, BASE (folder of the base image), DISK (folder of this machine's disk), RUN (folder for its control
# socket), XSTATE (made of xstate.c) and MEMORY (MiB) come from the environment; arguments are added to the kernel's command line.
set -eu
mount --bind /proc "$TREE/proc"
mount --bind /dev "$TREE/dev"
# The machine's memory is a file here: the file system must be a tmpfs, executable and big enough.
mount -t tmpfs -o "size=$((MEMORY + 256))m,mode=1777" tmpfs "$TREE/dev/shm"
mount -t tmpfs -o mode=0755 tmpfs "$TREE/run"
mkdir "$TREE/run/base" "$TREE/run/disk" "$TREE/run/control"
install -m 0755 "$(dirname "$0")/uml.sh" "$TREE/run/uml"
install -m 0644 "$XSTATE" "$TREE/run/xstate.so"
mount --bind "$BASE" "$TREE/run/base"
mount --bind "$DISK" "$TREE/run/disk"
mount --bind "$RUN" "$TREE/run/control"
# hostfs is confined to an empty folder: root in the machine must not be able to mount the host's files.
TMPDIR=/dev/shm HOME=/run/control exec chroot "$TREE" /run/uml \
  ubd0=/run/disk/disk.cow,/run/base/base.img ubd1r=/run/disk/identity.tar root=/dev/ubda rw \
  "mem=${MEMORY}M" con0=fd:0,fd:1 con=null ssl=null uml_dir=/run/control/ hostfs=/boot "$@"
