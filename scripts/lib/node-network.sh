# What a pod network and kube-proxy leave in the kernel.

remove_node_network() {
  local path
  progress "removing the pod network"
  remove_ipvs_services
  for path in /run/netns/cni-*; do ip netns delete "${path##*/}" || warning "network namespace ${path##*/} could not be removed"; done
  # Also of the pod networks that a lesson puts in flannel's place: Calico, Cilium, Weave Net, kube-router.
  for path in /sys/class/net/{cni0,flannel.*,flannel-v6.*,kube-ipvs0,vxlan.calico,wireguard.cali,cilium_*,weave,vxlan-6784,kube-bridge}; do
    [[ ! -e $path ]] || ip link delete "${path##*/}" || warning "link ${path##*/} could not be removed"
  done
  remove_packet_filter_rules
}

# Only chains of Kubernetes, of pod networks and of the CNI plugins, and the rules elsewhere that lead to them.
remove_packet_filter_rules() {
  local variant line table="" script chains jumps kind family name ours='((KUBE|FLANNEL|CNI|WEAVE|cali)-|(OLD_)?CILIUM_)'
  # Both kinds may hold rules, whichever is in use now.
  for variant in iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft; do
    command -v "$variant-save" > /dev/null || continue
    script=""
    while IFS= read -r line; do
      if [[ $line == \** ]]; then
        table=$line chains="" jumps=""
      elif [[ $line =~ ^:(${ours}[^ ]*) ]]; then
        # Naming a chain empties it; all are empty before the first is deleted.
        jumps=":${BASH_REMATCH[1]} - [0:0]$newline$jumps"
        chains+="-X ${BASH_REMATCH[1]}$newline"
      elif [[ $line == -A* && ! $line =~ ^-A\ $ours && $line =~ \ -[jg]\ $ours ]]; then
        jumps+="-D ${line#-A }$newline"
      elif [[ $line == COMMIT && $chains ]]; then
        script+="$table$newline$jumps${chains}COMMIT$newline"
      fi
    done < <("$variant-save" 2>/dev/null)
    [[ -z $script ]] || "$variant-restore" -w 30 --noflush <<< "$script" || warning "the rules of Kubernetes in $variant could not be removed"
  done
  command -v nft > /dev/null || return 0
  while read -r kind family name; do
    [[ $kind == table && ($name == kube-proxy || $name == flannel-* || $name == calico) ]] || continue
    nft delete table "$family" "$name" || warning "nftables' table $family $name could not be removed"
  done < <(nft list tables 2>/dev/null)
}

# Services of kube-proxy's ipvs mode: those on the addresses of its link.
remove_ipvs_services() {
  local addresses command kind service host
  [[ -e /sys/class/net/kube-ipvs0 ]] && command -v ipvsadm-save > /dev/null || return 0
  addresses=$(ip -oneline address show dev kube-ipvs0)
  while read -r command kind service _; do
    host=${service%:*} host=${host//[\[\]]/}
    [[ $command != -A || $addresses != *" $host/"* ]] || ipvsadm -D "$kind" "$service" || warning "ipvs service $service could not be removed"
  done < <(ipvsadm-save -n)
}
