# The API's address: keepalived keeps it on one control plane whose apiserver is ready, and moves it when that one is not ready any more.
# https://github.com/kubernetes/kubeadm/blob/main/docs/ha-considerations.md and keepalived.conf(5)
#
# Parameters: ENDPOINT_VIP    the address
#             ENDPOINT_NAME, ENDPOINT_PORT  the API's, as in the apiserver's certificate
#             NODE_ADDRESS    cluster address of this machine
#             PEERS           those of the other control planes, separated by spaces; empty where there is none

config_file=/etc/keepalived/keepalived.conf
check_file=/etc/keepalived/check-apiserver
unit_file=/etc/systemd/system/keepalived.service.d/pulumi-kubeadm.conf
protocols_file=/etc/iproute2/rt_addrprotos.d/keepalived.conf
# Written whenever keepalived has read its configuration.
loaded_file=$state_dir/endpoint-loaded

stage_inspect() {
  local name link holds=false
  read_packages keepalived curl
  for name in keepalived curl; do [[ ${package_version[$name]:-} ]] || drift "$name is not installed"; done
  if read_link; then
    file_drift "$check_file" "$(check_text)$newline"
    file_drift "$config_file" "$(config_text)$newline"
    file_drift "$unit_file" "$(unit_text)$newline"
    service_drift
  else
    drift "no link has the cluster address $NODE_ADDRESS"
  fi
  ! holds_address || holds=true
  print_inspection endpoint "{\"holdsAddress\":$holds}"
}

service_drift() {
  local state
  state=$(systemctl show --value -p ActiveState -p UnitFileState keepalived 2>/dev/null) || true
  [[ $state == *enabled* ]] || drift "keepalived does not start with the machine"
  if [[ $state != *active* || $state == *inactive* ]]; then
    drift "keepalived is not running"
  elif [[ $config_file -nt $loaded_file || $unit_file -nt $loaded_file ]]; then
    drift "keepalived runs with an older configuration than $config_file"
  elif ! wait_until 15 "somebody to have $ENDPOINT_VIP" address_is_held; then
    drift "no machine has the API's address $ENDPOINT_VIP"
  fi
}

# Sets `link` to the one that has this machine's cluster address.
read_link() {
  link=""
  read -r _ link _ < <(ip -oneline -4 address show to "$NODE_ADDRESS/32" 2>/dev/null)
}

holds_address() { [[ $(ip -oneline -4 address show to "$ENDPOINT_VIP/32" 2>/dev/null) ]]; }

# This machine has the address, or another one on this network: any packet makes the kernel ask for it.
address_is_held() {
  holds_address && return
  { echo > "/dev/udp/$ENDPOINT_VIP/9"; } 2>/dev/null || true
  [[ $(ip -4 neighbour show to "$ENDPOINT_VIP" nud reachable 2>/dev/null) ]]
}

# What keepalived asks, as a user who may do nothing. /readyz is for everybody (the role system:public-info-viewer), and the name is in the
# certificate whatever the address.
#
# may-hold is for a machine that the others do not know yet, or not any more: it hears nothing of them, and would take the address although
# its own apiserver is not ready. It may have no CA yet, and whoever answers has the address already, so no certificate is verified.
check_text() {
  cat << TEXT
#!/bin/sh
# Written by pulumi-kubeadm.
# ready: this machine's apiserver is ready.
# may-hold: it is; or this machine has the API's address; or no apiserver that is ready answers there.
ready() {
  address=\$1
  shift
  curl --silent --fail --output /dev/null --max-time 3 --noproxy '*' --resolve "$ENDPOINT_NAME:$ENDPOINT_PORT:\$address" "\$@" "https://$ENDPOINT_NAME:$ENDPOINT_PORT/readyz"
}
own_ready() { ready 127.0.0.1 --cacert /etc/kubernetes/pki/ca.crt; }
case \$1 in
  ready) own_ready ;;
  may-hold) own_ready || [ -n "\$(ip -oneline -4 address show to $ENDPOINT_VIP/32)" ] || ! ready $ENDPOINT_VIP --insecure ;;
esac
TEXT
}

# All machines are equal, so that nothing moves the address but an apiserver that is ready, which adds 50. That is a weight and no
# condition: before the first apiserver there is, and when etcd has lost its quorum and none is ready, the address stays where it is.
#
# Unicast, since many networks stop multicast; then only the peers see the router id, and it may be the same in every cluster. A control
# plane that is alone sends to its own address: without a peer keepalived would turn to multicast. No password: VRRP's goes over the
# network as it is, and who can send there can answer for the address without it.
#
# After a machine hung, or the network was parted, two may have the address: the one whose own address is lower gives it up at the first
# word from the other, and has that one tell the network again where the address is. The holder also tells it once a minute.
config_text() {
  local peer peers=""
  for peer in ${PEERS:-$ENDPOINT_VIP}; do peers+="    $peer$newline"; done
  cat << TEXT
# Written by pulumi-kubeadm: change its settings, not this file.
global_defs {
  script_user nobody
  enable_script_security
}
vrrp_script apiserver {
  script "$check_file ready"
  interval 2
  timeout 4
  fall 2
  rise 1
  weight 50
}
vrrp_script may_hold {
  script "$check_file may-hold"
  interval 5
  timeout 8
  fall 1
  rise 2
}
vrrp_instance api {
  state BACKUP
  interface $link
  virtual_router_id 51
  priority 100
  advert_int 1
  higher_prio_send_advert true
  garp_master_refresh 60
  unicast_src_ip $NODE_ADDRESS
  unicast_peer {
${peers%"$newline"}
  }
  virtual_ipaddress {
    $ENDPOINT_VIP/32 dev $link
  }
  track_script {
    apiserver
    may_hold
  }
}
TEXT
}

unit_text() {
  cat << TEXT
[Service]
# Without its balancer, which would load the kernel's ip_vs.
ExecStart=
ExecStart=/usr/sbin/keepalived --dont-fork --vrrp
# One that was killed leaves the address behind.
ExecStopPost=-/usr/sbin/ip address delete $ENDPOINT_VIP/32 dev $link
Restart=on-failure
TEXT
}

stage_apply() {
  local link
  is_as_wanted && return
  read_link || fail "no link of this machine has its cluster address $NODE_ADDRESS" "bring the link up, or correct clusterAddress, and run 'pulumi up' again"
  # Where keepalived tells the name of its addresses' protocol, by itself.
  ledger_directory endpoint "${protocols_file%/*/*}"
  ledger_directory endpoint "${protocols_file%/*}"
  ledger_trees endpoint "$protocols_file"
  install
  put_file endpoint "$check_file" "$(check_text)$newline" 0755
  put_file endpoint "$config_file" "$(config_text)$newline"
  put_file endpoint "$unit_file" "$(unit_text)$newline"
  start
  confirm
}

# Not held: what the machine's owner upgrades is no concern of the cluster's.
install() {
  local name missing=()
  read_packages keepalived curl
  for name in keepalived curl; do [[ ${package_version[$name]:-} ]] || missing+=("$name=*"); done
  ((${#missing[@]} == 0)) || install_packages endpoint "${missing[@]}"
}

start() {
  local came_with_us=""
  ! package_is_ours keepalived || came_with_us=absent
  ledger_unit endpoint keepalived "$came_with_us"
  systemctl --quiet enable keepalived
  if [[ $unit_file -nt $loaded_file ]] || ! systemctl --quiet is-active keepalived; then
    progress "starting keepalived"
    systemctl daemon-reload
    # One that fails tries again by itself: only what it does counts.
    systemctl restart keepalived || true
  else
    # The address stays.
    systemctl reload keepalived
  fi
  ledger_file endpoint "$loaded_file"
  : > "$loaded_file"
  if ! wait_until 30 "somebody to have $ENDPOINT_VIP" address_is_held; then
    journalctl --unit=keepalived --lines=20 --no-pager --output=cat >&2 || true
    fail "no machine has the API's address $ENDPOINT_VIP" "read keepalived's own words above, put right what they name, and run 'pulumi up' again"
  fi
}

stage_remove() {
  ledger_undo endpoint
  undo_ended
}
