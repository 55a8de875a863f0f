#!/bin/bash
# Runs in a one-shot container on an instance's config volume. A constant: limits.json comes on standard input, and
# takes the old one's place at once, because Odoo may read it at any moment.
set -euo pipefail
umask 022
cat >/config/.limits.json
mv -f /config/.limits.json /config/limits.json
