#!/bin/sh
# Debian's wkhtmltopdf is built on plain Qt, which looks for an X server unless it is told not to.
XDG_RUNTIME_DIR=${TMPDIR:-/tmp}/runtime-$(id -u)
[ -d "$XDG_RUNTIME_DIR" ] || mkdir -m 0700 "$XDG_RUNTIME_DIR"
export XDG_RUNTIME_DIR QT_QPA_PLATFORM=offscreen
exec /usr/bin/wkhtmltopdf "$@"
