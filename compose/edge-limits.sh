#!/usr/bin/env bash
# Usage: compose/edge-limits.sh up|down|status|install|uninstall [--ports LIST] [--connections NUMBER] [--rate NUMBER] [--burst NUMBER]
#
# How many connections one visitor may have to the edge, and open in a second (iptables, as root, on the edge's host): who
# holds many slow ones, or opens them as fast as they can, uses up what all others need. Of IPv6 a visitor is a network /64.
# `up` sets the rules anew, `down` takes them away, `status` tells how often they have refused. A reboot takes them away too:
# `install` sets them now, and has systemd do it each time; `uninstall` undoes both.
#
#   --ports LIST           of the edge (default 80,443)
#   --connections NUMBER   open at the same time, of one visitor (default 300: an office shares an address)
#   --rate NUMBER          opened in a second, in the long run (default 50)
#   --burst NUMBER         opened at once, after a while without any (default 200)
#
#   UNIT_DIR               where `install` puts saas-bridge-edge-limits.service (default /etc/systemd/system)
#
# What is passed on in a connection is not counted: Odoo throttles logins by the address of the visitor, which the edge tells it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CHAIN=saas-edge
UNIT=saas-bridge-edge-limits.service
UNIT_DIR=${UNIT_DIR:-/etc/systemd/system}

command=${1:-}
shift || true
options=("$@")
ports=80,443 connections=300 rate=50 burst=200
while (($#)); do
  case $1 in
    --ports) ports=${2:?} ;;
    --connections) connections=${2:?} ;;
    --rate) rate=${2:?} ;;
    --burst) burst=${2:?} ;;
    *) die "unknown argument '$1', see --help" ;;
  esac
  shift 2
done
[[ $ports =~ ^[0-9]{1,5}(,[0-9]{1,5}){0,14}$ ]] || die "--ports: numbers, such as 80,443, not '$ports'"
for number in "$connections" "$rate" "$burst"; do
  [[ $number =~ ^[1-9][0-9]{0,4}$ ]] || die "a number from 1 to 99999, not '$number'"
done

# families: the ones of this kernel.
families() {
  echo iptables
  if ip6tables -w 10 -n -L INPUT >/dev/null 2>&1; then echo ip6tables; fi
}

# jump TABLES ACTION: -C, -I or -D the rule that leads to the chain: for each connection its first packet.
jump() {
  "$1" -w 10 "$2" INPUT -p tcp --syn -m multiport --dports "$ports" -j "$CHAIN"
}

# rules MASK: what one visitor is; the host itself is none.
rules() {
  echo '*filter'
  echo ":$CHAIN - [0:0]"
  echo "-A $CHAIN -i lo -j RETURN"
  echo "-A $CHAIN -p tcp -m connlimit --connlimit-above $connections --connlimit-mask $1 --connlimit-saddr -j REJECT --reject-with tcp-reset"
  # Who tries again a second later comes through.
  echo "-A $CHAIN -m hashlimit --hashlimit-name $CHAIN --hashlimit-mode srcip --hashlimit-srcmask $1 --hashlimit-above $rate/second --hashlimit-burst $burst --hashlimit-htable-expire 60000 -j DROP"
  echo COMMIT
}

up() {
  local tables mask
  remove
  for tables in $(families); do
    mask=32
    [[ $tables == iptables ]] || mask=64
    rules "$mask" | "$tables-restore" -w 10 --noflush
    jump "$tables" -I
  done
  log "one visitor may have $connections connections to the ports $ports, and open $rate in a second, $burst at once"
}

# Of other ports too: what leads to the chain is found, not guessed.
remove() {
  local tables rule
  for tables in $(families); do
    while rule=$("$tables" -w 10 -S INPUT 2>/dev/null | grep -m 1 -- "-j $CHAIN\$"); do
      # shellcheck disable=SC2086  # a rule is several words
      "$tables" -w 10 -D ${rule#-A }
    done
    "$tables" -w 10 -F "$CHAIN" 2>/dev/null || continue
    "$tables" -w 10 -X "$CHAIN"
  done
}

down() {
  remove
  log "no visitor is limited"
}

status() {
  local tables
  jump iptables -C 2>/dev/null || die "there are no limits of the ports $ports: compose/edge-limits.sh up"
  for tables in $(families); do "$tables" -w 10 -v -n -L "$CHAIN"; done
}

unit() {
  echo '[Unit]'
  echo 'Description=How many connections one visitor may have to the edge'
  # What other firewalls set at their start takes all rules away.
  echo 'After=nftables.service netfilter-persistent.service ufw.service firewalld.service'
  echo '[Service]'
  echo 'Type=oneshot'
  echo 'RemainAfterExit=yes'
  echo "ExecStart=\"$COMPOSE_DIR/edge-limits.sh\" up ${options[*]}"
  echo '[Install]'
  echo 'WantedBy=multi-user.target'
}

install_unit() {
  up
  install -d "$UNIT_DIR"
  unit >"$UNIT_DIR/$UNIT"
  chmod 0644 "$UNIT_DIR/$UNIT"
  log "$UNIT_DIR/$UNIT sets the limits at each boot"
  if [[ -d /run/systemd/system ]]; then
    systemctl daemon-reload
    systemctl enable --now "$UNIT"
  else
    log "systemd does not run here: have it enabled where it does (systemctl enable $UNIT)"
  fi
}

uninstall_unit() {
  if [[ -e $UNIT_DIR/$UNIT && -d /run/systemd/system ]]; then systemctl disable --now "$UNIT" || true; fi
  rm -f "$UNIT_DIR/$UNIT"
  down
}

with_rules() {
  need_root
  command -v iptables-restore >/dev/null || die "iptables is missing: install it with apt"
  with_lock firewall "$1"
}

case $command in
  -h | --help | '') usage "$0" ;;
  up | down | status) with_rules "$command" ;;
  install | uninstall) with_rules "${command}_unit" ;;
  *) die "unknown command '$command', see --help" ;;
esac
