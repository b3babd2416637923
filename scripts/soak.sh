#!/bin/sh
# Many nodes of bin/kith, each on a network of its own, live together for SOAK
# (15m): SOAK_NODES of them (20). SEED chooses what is drawn.
set -eu
cd "$(dirname "$0")/.."
set -- -kith bin/kith -for "${SOAK:-15m}" -nodes "${SOAK_NODES:-20}"
[ -z "${SEED:-}" ] || set -- "$@" -seed "$SEED"
mkdir -p .cache
go build -o .cache/soak ./scripts/soak
exec .cache/soak "$@"
