#!/usr/bin/env bash
# Usage: compose/firewall.sh up|down|status|boot|install|uninstall [--pool RANGE] [--relay HOST:PORT] [--dns ADDRESS]... [--allow RANGE]...
#
# Rules for what the customers' Odoos may reach (iptables, as root, on the engine's host). `up` sets them, at once and
# anew each time; `down` takes them away; `status` tells whether they are there, and fails where they are not. A reboot takes
# them away too: `install` sets them now, and has systemd do `boot` with these options each time, which sets them before the
# engine starts; `uninstall` undoes it, and takes them away.
#
#   --pool RANGE       the daemon's SAAS_SUBNET_POOL (default: that variable, or 10.208.0.0/12)
#   --relay HOST:PORT  your mail relay: open to all plans that reach anything; may have a private address, or be this host
#   --dns ADDRESS      a resolver; may be given again (default: those that the engine gives to containers)
#   --allow RANGE      a private range that plans with `web` and `all` may reach; may be given again
#
#   UNIT_DIR           where `install` puts saas-bridge-firewall.service (default /etc/systemd/system)
#
# Which plan an instance has is in the last digit of its Odoo's address (src/docker/instance/addresses.ts): a range for each would
# mean another network with another plan, and rules for each instance a daemon that may change the firewall.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The last four bits of the address of an instance's Odoo. 4 (closed), and whatever else is in the network, reaches nothing.
RELAY=5 WEB=6 ALL=7
# Pages and interfaces, mail with a login, mailboxes. Not 25: who sends mail to any server sends spam.
WEB_PORTS=80,443,465,587,993,995
# This host, private networks, metadata (169.254.169.254), carriers, multicast, and what belongs to nobody.
CLOSED=(0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3)
# Other than what a closed port says: the one who is refused can tell.
REFUSE=(-j REJECT --reject-with icmp-admin-prohibited)

UNIT=saas-bridge-firewall.service
UNIT_DIR=${UNIT_DIR:-/etc/systemd/system}

command=${1:-}
shift || true
options=("$@")
pool=${SAAS_SUBNET_POOL:-10.208.0.0/12} relay='' dns=() allowed=()
while (($#)); do
  case $1 in
    --pool) pool=${2:?} ;;
    --relay) relay=${2:?} ;;
    --dns) dns+=("${2:?}") ;;
    --allow) allowed+=("${2:?}") ;;
    *) die "unknown argument '$1', see --help" ;;
  esac
  shift 2
done

octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
address="$octet(\.$octet){3}"
[[ $pool =~ ^$address/([89]|1[0-9]|2[0-4])$ ]] || die "--pool: a private range of /8 to /24, such as 10.208.0.0/12, not '$pool'"
prefix=${pool#*/}
IFS=. read -r a b c d <<<"${pool%/*}"
netmask=$((0xffffffff << (32 - prefix) & 0xffffffff))
base=$(((a << 24 | b << 16 | c << 8 | d) & netmask))
# of NUMBER: all addresses in the pool that end with it: the mask leaves out what is between.
of() {
  printf '%s/%s' "$(dotted $((base | $1)))" "$(dotted $((netmask | 15)))"
}

dotted() {
  printf '%d.%d.%d.%d' $(($1 >> 24)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255))
}

pool=$(dotted "$base")/$prefix
# At most 28 characters; each daemon on a host has its own.
forward=saas-fwd-${pool/\//-} host=saas-in-${pool/\//-}

# The resolvers that the engine writes into containers, but for those on a loopback, which it asks itself.
resolvers() {
  local file=/etc/resolv.conf
  if grep -q '^nameserver 127\.0\.0\.53' "$file" && [[ -r /run/systemd/resolve/resolv.conf ]]; then
    file=/run/systemd/resolve/resolv.conf
  fi
  awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ && $2 !~ /^127\./ { print $2 }' "$file"
}

# What is open to who reaches anything, wherever it is; for both chains.
open_to_all() {
  local chain=$1 number server protocol
  for number in $RELAY $WEB $ALL; do
    for server in "${dns[@]}"; do
      for protocol in udp tcp; do
        echo "-A $chain -s $(of "$number") -d $server -p $protocol --dport 53 -j RETURN"
      done
    done
    if [[ -n $relay ]]; then
      echo "-A $chain -s $(of "$number") -d ${relay%:*} -p tcp --dport ${relay##*:} -j RETURN"
    fi
  done
}

rules() {
  local range number
  echo '*filter'
  echo ":$forward - [0:0]"
  echo ":$host - [0:0]"
  # Answers to visitors, and to the daemon.
  echo "-A $forward -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
  # Odoo and its database; the engine keeps the networks apart.
  echo "-A $forward -d $pool -j RETURN"
  open_to_all "$forward"
  for range in "${allowed[@]}"; do
    for number in $WEB $ALL; do echo "-A $forward -s $(of "$number") -d $range -j RETURN"; done
  done
  for range in "${CLOSED[@]}"; do echo "-A $forward -d $range ${REFUSE[*]}"; done
  echo "-A $forward -s $(of $WEB) -p tcp -m multiport --dports $WEB_PORTS -j RETURN"
  echo "-A $forward -s $(of $ALL) -j RETURN"
  echo "-A $forward ${REFUSE[*]}"
  echo "-A $host -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
  open_to_all "$host"
  echo "-A $host ${REFUSE[*]}"
  echo COMMIT
}

tables() {
  iptables -w 10 "$@"
}

# jump ACTION: -C, -I or -D the two rules that lead to the chains.
jump() {
  tables "$1" DOCKER-USER -s "$pool" -j "$forward" && tables "$1" INPUT -s "$pool" -j "$host"
}

is_up() {
  jump -C 2>/dev/null
}

up() {
  local server missing=''
  tables -n -L DOCKER-USER >/dev/null 2>&1 || die "the engine has no chain DOCKER-USER: start it first (compose/engine.sh), with its iptables on"
  if [[ -n $relay ]]; then
    server=${relay%:*}
    [[ $server =~ ^$address$ ]] || server=$(getent ahostsv4 "$server" | awk 'NR == 1 { print $1 }') || true
    # At a boot names may not be known yet: all else is closed all the same.
    [[ -n $server ]] || missing=${relay%:*}
    relay=${server:+$server:${relay##*:}}
  fi
  ((${#dns[@]})) || mapfile -t dns < <(resolvers)
  # Both chains anew in one go; what leads to them after it, and first of all in its chain.
  rules | iptables-restore -w 10 --noflush
  while jump -D 2>/dev/null; do :; done
  jump -I
  log "instances in $pool reach what their plan has: mail relay ${relay:-none}, resolvers ${dns[*]:-none}"
  [[ -z $missing ]] || die "--relay: $missing has no IPv4 address, and is closed until it has: run it again"
}

# The engine starts instances as soon as it can: the chain in which it leaves rules alone is made before, and it takes it as it is.
boot() {
  tables -n -L DOCKER-USER >/dev/null 2>&1 || tables -N DOCKER-USER
  up
}

# systemd_word TEXT: as one word of a unit's command line.
systemd_word() {
  local word=${1//\\/\\\\}
  word=${word//\"/\\\"}
  word=${word//%/%%}
  printf '"%s"' "${word//\$/\$\$}"
}

unit() {
  local word
  echo '[Unit]'
  echo "Description=What the Odoos of customers in $pool reach"
  echo 'Wants=network-online.target'
  # What other firewalls set at their start takes all rules away.
  echo 'After=network-online.target nftables.service netfilter-persistent.service ufw.service firewalld.service'
  echo 'Before=docker.service'
  echo '[Service]'
  echo 'Type=oneshot'
  echo 'RemainAfterExit=yes'
  printf 'ExecStart=%s boot' "$(systemd_word "$COMPOSE_DIR/firewall.sh")"
  for word in "${options[@]}"; do printf ' %s' "$(systemd_word "$word")"; done
  echo
  # Such as a mail relay whose name is not known yet.
  echo 'Restart=on-failure'
  echo 'RestartSec=30'
  echo '[Install]'
  echo 'WantedBy=multi-user.target docker.service'
}

systemd_runs() {
  [[ -d /run/systemd/system ]]
}

install_unit() {
  # Not what the environment of this moment says.
  [[ " ${options[*]} " == *' --pool '* ]] || options=(--pool "$pool" "${options[@]}")
  up
  install -d "$UNIT_DIR"
  unit >"$UNIT_DIR/$UNIT"
  chmod 0644 "$UNIT_DIR/$UNIT"
  log "$UNIT_DIR/$UNIT sets the rules at each boot"
  if systemd_runs; then
    systemctl daemon-reload
    systemctl enable --now "$UNIT"
  else
    log "systemd does not run here: have it enabled where it does (systemctl enable $UNIT)"
  fi
}

uninstall_unit() {
  if [[ -e $UNIT_DIR/$UNIT ]]; then
    if systemd_runs; then systemctl disable --now "$UNIT" || true; fi
    rm -f "$UNIT_DIR/$UNIT"
    if systemd_runs; then systemctl daemon-reload; fi
    log "$UNIT_DIR/$UNIT is gone"
  fi
  down
}

down() {
  local chain
  while tables -D DOCKER-USER -s "$pool" -j "$forward" 2>/dev/null; do :; done
  while tables -D INPUT -s "$pool" -j "$host" 2>/dev/null; do :; done
  for chain in "$forward" "$host"; do
    tables -F "$chain" 2>/dev/null || continue
    tables -X "$chain"
  done
  log "the rules of $pool are gone: its instances reach everything that this host routes"
}

status() {
  is_up || die "the rules of $pool are not there: compose/firewall.sh up --pool $pool"
  log "the rules of $pool are there"
  tables -v -n -L "$forward"
  tables -v -n -L "$host"
}

# with_rules FUNCTION: what it needs, and what was asked for in words that can be meant.
with_rules() {
  local one
  need_root
  command -v iptables-restore >/dev/null || die "iptables is missing: install it with apt"
  [[ -z $relay || $relay =~ ^[A-Za-z0-9.-]+:[0-9]{1,5}$ ]] || die "--relay: HOST:PORT, not '$relay'"
  for one in "${dns[@]}"; do [[ $one =~ ^$address$ ]] || die "--dns: an IPv4 address, not '$one'"; done
  for one in "${allowed[@]}"; do [[ $one =~ ^$address(/[0-9]{1,2})?$ ]] || die "--allow: a range, not '$one'"; done
  with_lock firewall "$1"
}

case $command in
  -h | --help | '') usage "$0" ;;
  up | down | status | boot) with_rules "$command" ;;
  install | uninstall) with_rules "${command}_unit" ;;
  *) die "unknown command '$command', see --help" ;;
esac
