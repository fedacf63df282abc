# How bash runs the scripts, as root. The machines have bash 5.1 or newer and what a minimal Debian or Ubuntu has: no Python, Perl or
# jq. Starting a program is what costs time on a small machine, so what bash can do itself it does.

set -Eeuo pipefail
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C
umask 022
shopt -s nullglob
# bash 5.2 gives `&` a meaning in ${text//pattern/replacement}; older ones know no such option.
shopt -u patsub_replacement 2>/dev/null || true

newline=$'\n'
tab=$'\t'
