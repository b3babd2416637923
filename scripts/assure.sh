#!/bin/sh
# What is too long for make test: every fuzz target for a minute, the race
# detector over everything, many more simulated schedules, and the walks and
# draws of docs/assurance.md.
set -eu
cd "$(dirname "$0")/.."
echo '== race detector over every package'
PKG=./... scripts/race.sh
echo '== every fuzz target'
T=${T:-1m} PKG='' F='' scripts/fuzz.sh
echo '== simulation, many seeds'
SEED= SEEDS="${SEEDS:-5000}" FROM=1001 scripts/sim.sh
echo '== fork choice and settlement: every small case (docs/assurance.md)'
KITH_EXPLORE=big go test ./internal/chain -run '^TestExplore' -timeout 2h -v
echo '== fork choice and settlement: second implementations, random sets and walks'
KITH_DRAWS="${DRAWS:-100000}" go test ./internal/chain -run '^(TestNaive|TestSurplus)' -timeout 2h -v
KITH_DRAWS=6000 go test ./internal/chain -run '^TestSettlementWalks$' -timeout 2h -v
echo '== broadcast tree: 200 to 10,000 members (docs/benchmarks.md)'
KITH_TREE=big go test ./internal/peer -run '^TestTreeAll$' -timeout 2h -v
echo '== validity of blocks: each rule taken away is missed by a test'
go run ./scripts/mutate -first '^TestEveryRule$' ./internal/chain
echo '== MLS: 50 members through 500 epochs of random changes'
MLS_EPOCHS=500 go test ./internal/mls -run TestRandomLife -timeout 1h -v
