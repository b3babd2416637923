#!/bin/sh
# The simulation: SEED and STEPS replay one run.
set -eu
cd "$(dirname "$0")/.."
set -- ./internal/sim -run '^TestSim$'
[ -z "${SEED:-}" ] || set -- "$@" -v -seed="$SEED"
[ -z "${STEPS:-}" ] || set -- "$@" -steps="$STEPS"
exec go test "$@"
