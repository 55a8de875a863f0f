#!/bin/sh
# Starts Pebble and its DNS server, in which every name leads to 127.0.0.1. Ports, all on loopback:
#   ACME_PORT (the directory, https), ACME_ROOTS_PORT (its root certificates), ACME_DNS_PORT, ACME_DNS_API_PORT
#   EDGE_HTTP_PORT, EDGE_HTTPS_PORT: where it looks for the answers to its challenges
# The certificate that its own https is known by is written to /acme/ca.pem.
set -eu
cd /acme
if [ ! -e ca.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=acme \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout key.pem -out ca.new >/dev/null 2>&1
  mv ca.new ca.pem
  chmod 0644 ca.pem
fi
cat >/tmp/pebble.json <<CONFIG
{"pebble": {
  "listenAddress": "127.0.0.1:${ACME_PORT:-14000}", "managementListenAddress": "127.0.0.1:${ACME_ROOTS_PORT:-15000}",
  "certificate": "/acme/ca.pem", "privateKey": "/acme/key.pem",
  "httpPort": ${EDGE_HTTP_PORT:-80}, "tlsPort": ${EDGE_HTTPS_PORT:-443},
  "ocspResponderURL": "", "externalAccountBindingRequired": false
}}
CONFIG
pebble-challtestsrv -defaultIPv6 '' -http01 '' -https01 '' -tlsalpn01 '' -doh '' \
  -dns01 "127.0.0.1:${ACME_DNS_PORT:-8053}" -management "127.0.0.1:${ACME_DNS_API_PORT:-8055}" >/dev/null 2>&1 &
export PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0
exec pebble -config /tmp/pebble.json -dnsserver "127.0.0.1:${ACME_DNS_PORT:-8053}"
