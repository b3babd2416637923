#!/bin/sh
# What is too long for make test: every fuzz target for a minute, the race
# detector over everything, many more simulated schedules, and the walks and
# draws of docs/assurance.md. Hours in all; SMALL=1 plays a little of every part,
# in minutes, to see that each works.
set -eu
cd "$(dirname "$0")/.."
if [ -n "${SMALL:-}" ]; then
	race=./internal/wire fuzz=./internal/wire/ time=1s seeds=20 explore='' draws=2000 walks=20 rules=body epochs='' tree=200 random=''
	nat='' versions=4 crowd=100 five=200 SOAK=${SOAK:-1m} SOAK_NODES=${SOAK_NODES:-6}
	export SOAK SOAK_NODES
else
	race=./... fuzz='' time=1m seeds=5000 explore=big draws=100000 walks=6000 rules='' epochs=500 tree=big random=big
	nat=all versions=all crowd=1000 five=100000
fi
part() { echo "== $1, $(date -u +%H:%M:%S)"; }

echo "== $(git describe --always --dirty), $(date -u +%F)"
part 'race detector over every package'
PKG=$race scripts/race.sh
part 'every fuzz target'
T=${T:-$time} PKG=$fuzz F='' scripts/fuzz.sh
part 'simulation, many seeds'
SEED='' SEEDS="${SEEDS:-$seeds}" FROM=1001 scripts/sim.sh
part 'simulation: schedules of five members, none of whom lies'
SEED='' FIVE=1 SEEDS=$five FROM=1001 scripts/sim.sh
part 'simulation: 25 people, 5,000 random events'
KITH_RANDOM=$random go test ./internal/sim -run '^TestRandomRun$' -timeout 24h -v
part 'simulation: 1,000 members of whom 10 are there at a time, for a day'
KITH_CROWD=$crowd go test ./internal/sim -run '^TestCrowd$' -timeout 24h -v
part 'fork choice, settlement and persons: every small case (docs/assurance.md)'
KITH_EXPLORE=$explore go test ./internal/chain -run '^TestExplore|^TestForum' -timeout 6h -v
part 'fork choice and settlement: second implementations, random sets and walks'
KITH_DRAWS="${DRAWS:-$draws}" go test ./internal/chain -run '^(TestNaive|TestSurplus)' -timeout 2h -v
KITH_DRAWS=$walks go test ./internal/chain -run '^TestSettlementWalks$' -timeout 2h -v
part 'broadcast tree: 200 to 10,000 members (docs/benchmarks.md)'
KITH_TREE=$tree go test ./internal/peer -run '^TestTreeAll$' -timeout 2h -v
part 'versions: earlier programs, built from git, beside that of today'
KITH_VERSIONS=$versions go test ./cmd/kith -run '^TestVersions$' -timeout 1h -v
part 'homes behind routers of every kind: all pairs, all stories'
KITH_NAT=$nat go test ./cmd/kith -run '^(TestPairs|TestHomes[A-Z0-9]|TestTwoHomes)' -parallel 4 -timeout 2h -v
part 'soak: real nodes under cuts, kills and changes of members'
SEED='' scripts/soak.sh
part 'validity of blocks: each rule taken away is missed by a test'
go run ./scripts/mutate -only "$rules" -list docs/assurance-validity.txt -first '^TestEveryRule$' ./internal/chain
part 'MLS: 50 members through 500 epochs of random changes'
MLS_EPOCHS=$epochs go test ./internal/mls -run TestRandomLife -timeout 1h -v
part 'all of it has passed'
