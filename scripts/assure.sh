#!/bin/sh
# What is too long for make test: every fuzz target for a minute, the race
# detector over everything, many more simulated schedules.
set -eu
cd "$(dirname "$0")/.."
echo '== race detector over every package'
PKG=./... scripts/race.sh
echo '== every fuzz target'
T=${T:-1m} PKG='' F='' scripts/fuzz.sh
echo '== simulation, many seeds'
go test ./internal/sim -run '^TestSim$' -timeout 2h -seeds="${SEEDS:-5000}"
echo '== MLS: 50 members through 500 epochs of random changes'
MLS_EPOCHS=500 go test ./internal/mls -run TestRandomLife -timeout 1h -v
