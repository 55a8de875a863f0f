#!/usr/bin/env bash
# Usage: compose/edge.sh [--help] up | down | status | reload | certificate
#
# https in front of the instances: Caddy in a container, by the files that the daemon writes into EDGE_DIR. Instances
# come and go without a reload. The daemon needs SAAS_EDGE_DIR with the same folder, SAAS_PROXY_MODE=yes and
# SAAS_INSTANCE_URL=https://{name}.<EDGE_DOMAIN>.
#
#   up            starts it, or again with other settings; visitors of running instances wait a second
#   down          removes it; certificates stay in its volume
#   status        what runs, how many hosts are known, when the wildcard certificate ends
#   reload        reads Caddyfile and certificates again; no connection is cut off
#   certificate   gets or renews the wildcard certificate of EDGE_DOMAIN by DNS-01, then reloads; for a daily timer
#
#   EDGE_DIR          folder shared with the daemon (default /var/lib/saas-bridge/edge)
#   EDGE_EMAIL        address that the certificate authority writes to
#   EDGE_DOMAIN       customers' domain, for `certificate`: instances are <name>.EDGE_DOMAIN
#   EDGE_DNS          DNS provider of lego, such as ovh, cloudflare, hetzner, or exec for a hook of yours;
#                     its credentials are in files that its variables …_FILE name: https://go-acme.github.io/lego/dns/
#   EDGE_HTTP_PORT, EDGE_HTTPS_PORT, EDGE_ASK_PORT   80, 443 and 2021 (loopback)
#   EDGE_ACME_URL, EDGE_ACME_ROOT   another certificate authority, and a file with its root certificate
#   EDGE_PROJECT      name of the containers (default saas-edge): several edges on one host
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export EDGE_DIR=${EDGE_DIR:-/var/lib/saas-bridge/edge}
export EDGE_PROJECT=${EDGE_PROJECT:-saas-edge}
export EDGE_IMAGE=${EDGE_IMAGE:-saas-bridge/edge}
COMPOSE_FILE_EDGE=$COMPOSE_DIR/edge/docker-compose.yml
WILDCARD=$EDGE_DIR/wildcard
STARTED_WITHIN=30

edge_compose() {
  EDGE_EMAIL=${EDGE_EMAIL:-nobody@invalid} compose_cmd -f "$COMPOSE_FILE_EDGE" "$@"
}

in_edge() {
  docker_cmd exec "$EDGE_PROJECT-edge-1" "$@"
}

# certificate_end [OPTION...]: when the wildcard certificate ends; openssl is in the image, the host may have none.
certificate_end() {
  docker_cmd run --rm -i --network none --entrypoint openssl "$EDGE_IMAGE" x509 -noout -enddate "$@" <"$WILDCARD/cert.pem" | tr -s '\n ' ' '
}

# write FILE: its text from standard input, whole or not at all; readers need no rights of ours.
write() {
  cat >"$1.new"
  chmod 0644 "$1.new"
  mv "$1.new" "$1"
}

write_authority() {
  rm -f "$EDGE_DIR/acme.global" "$EDGE_DIR/acme-root.pem"
  [[ -n ${EDGE_ACME_URL:-} ]] || return 0
  if [[ -n ${EDGE_ACME_ROOT:-} ]]; then
    write "$EDGE_DIR/acme-root.pem" <"$EDGE_ACME_ROOT"
    printf 'acme_ca %s\nacme_ca_root /edge/acme-root.pem\n' "$EDGE_ACME_URL" | write "$EDGE_DIR/acme.global"
  else
    printf 'acme_ca %s\n' "$EDGE_ACME_URL" | write "$EDGE_DIR/acme.global"
  fi
}

up() {
  [[ -n ${EDGE_EMAIL:-} ]] || die "set EDGE_EMAIL: the certificate authority writes there before a certificate ends"
  need_engine
  need_curl
  "$COMPOSE_DIR/images.sh" edge
  mkdir -p "$EDGE_DIR/routes" "$EDGE_DIR/pages" "$WILDCARD"
  chmod 0755 "$EDGE_DIR" "$EDGE_DIR/routes" "$EDGE_DIR/pages" "$WILDCARD"
  write_authority
  edge_compose up -d --force-recreate --quiet-pull >/dev/null 2>&1 || die "the edge could not be started: $(edge_compose up -d 2>&1 | tail -n 3)"
  local waited=0
  until in_edge caddy version >/dev/null 2>&1 && answers; do
    ((waited++ < STARTED_WITHIN * 2)) || die "the edge does not answer: $(docker_cmd logs --tail 3 "$EDGE_PROJECT-edge-1" 2>&1)"
    sleep 0.5
  done
  log "the edge answers on ports ${EDGE_HTTP_PORT:-80} and ${EDGE_HTTPS_PORT:-443}, its folder is $EDGE_DIR"
}

# answers: its own page says which names are known; an unknown one is refused.
answers() {
  [[ $(curl -s -o /dev/null -m 2 -w '%{http_code}' "http://127.0.0.1:${EDGE_ASK_PORT:-2021}/ask?domain=none.invalid") == 403 ]]
}

down() {
  need_engine
  edge_compose down >/dev/null 2>&1
  log "the edge is gone; its certificates are in the volume ${EDGE_PROJECT}_data"
}

status() {
  need_engine
  need_curl
  answers || die "the edge does not answer: compose/edge.sh up, or docker logs $EDGE_PROJECT-edge-1"
  printf 'edge         %s, %s\n' "$(in_edge caddy version)" "$(docker_cmd ps --filter "name=^$EDGE_PROJECT-edge-1\$" --format '{{.Status}}')"
  printf 'hosts        %s\n' "$(find "$EDGE_DIR/routes" -mindepth 1 -maxdepth 1 -type d | wc -l)"
  if [[ -e $WILDCARD/cert.pem ]]; then
    printf 'wildcard     %s\n' "$(certificate_end -ext subjectAltName)"
  else
    printf 'wildcard     none: each name gets a certificate of its own (compose/edge.sh certificate)\n'
  fi
}

reload() {
  in_edge caddy reload --config /etc/edge/Caddyfile --adapter caddyfile --address unix//run/caddy-admin.sock >/dev/null 2>"$EDGE_DIR/.reload" ||
    die "the edge goes on with what it had: $(tail -n 1 "$EDGE_DIR/.reload")"
  rm -f "$EDGE_DIR/.reload"
  log "the edge has read its configuration again"
}

certificate() {
  [[ -n ${EDGE_DOMAIN:-} && -n ${EDGE_DNS:-} && -n ${EDGE_EMAIL:-} ]] || die "set EDGE_DOMAIN, EDGE_DNS and EDGE_EMAIL: see --help"
  need_engine
  local variables=() mounts=() name lego=$EDGE_DIR/.lego act=run
  mkdir -p "$lego" "$WILDCARD"
  chmod 0700 "$lego"
  # The provider's credentials are read by lego from the files that these variables name.
  while IFS= read -r name; do
    variables+=(-e "$name")
    [[ $name != *_FILE ]] || mounts+=(-v "${!name}:${!name}:ro")
  done < <(compgen -e | grep -E "^(${EDGE_DNS^^}|EXEC|LEGO)_" || true)
  [[ -z ${EXEC_PATH:-} ]] || mounts+=(-v "$(dirname "$EXEC_PATH"):$(dirname "$EXEC_PATH"):ro")
  [[ -z ${EDGE_ACME_ROOT:-} ]] || mounts+=(-v "$EDGE_ACME_ROOT:/acme-root.pem:ro" -e LEGO_CA_CERTIFICATES=/acme-root.pem)
  [[ ! -e $lego/certificates/_.$EDGE_DOMAIN.crt ]] || act=renew
  # shellcheck disable=SC2086  # two words
  docker_cmd run --rm --network host --cap-drop ALL --security-opt no-new-privileges -v "$lego:/lego" \
    "${mounts[@]}" "${variables[@]}" --entrypoint lego "$EDGE_IMAGE" \
    --accept-tos --path /lego --email "$EDGE_EMAIL" --dns "$EDGE_DNS" ${EDGE_LEGO_OPTIONS:-} \
    ${EDGE_ACME_URL:+--server "$EDGE_ACME_URL"} --domains "*.$EDGE_DOMAIN" $act >"$EDGE_DIR/.lego.log" 2>&1 ||
    die "no certificate: $(tail -n 2 "$EDGE_DIR/.lego.log")"
  # Caddy runs without the right to read the files of others: it has this folder alone, and the key is for its user, root.
  write "$WILDCARD/cert.pem" <"$lego/certificates/_.$EDGE_DOMAIN.crt"
  install -m 0600 "$lego/certificates/_.$EDGE_DOMAIN.key" "$WILDCARD/key.pem.new"
  mv "$WILDCARD/key.pem.new" "$WILDCARD/key.pem"
  write "$WILDCARD/site.caddy" <<SITE
*.$EDGE_DOMAIN {
	tls /edge/wildcard/cert.pem /edge/wildcard/key.pem
	import instance 31536000
}
SITE
  log "the certificate of *.$EDGE_DOMAIN $(certificate_end)"
  ! answers || reload
}

case ${1:-} in
  -h | --help) usage "$0" ;;
  up | down | status | reload | certificate) "$1" ;;
  *) die "say up, down, status, reload or certificate; see --help" ;;
esac
