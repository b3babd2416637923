#!/bin/sh
# Go benchmarks. PKG and BENCH choose; without them all run, in some minutes,
# with as many rounds as each needs. docs/benchmarks.md says what the longer
# ones were run with.
set -eu
cd "$(dirname "$0")/.."

# run PACKAGE PATTERN ROUNDS: -p 1 and one package at a time, for figures that
# do not disturb each other.
run() {
	go test -p 1 -run '^$' -bench "$2" -benchtime "$3" -benchmem "$1" | grep -v '^goos:\|^goarch:\|^PASS'
}

if [ -n "${PKG:-}${BENCH:-}" ]; then
	# shellcheck disable=SC2086 # a list of packages
	exec go test -p 1 -run '^$' -bench "${BENCH:-.}" -benchmem ${PKG:-./internal/...}
fi

run ./internal/node/ Delivery 500x
run ./internal/node/ CatchUp 1x
run ./internal/node/ Cut 1x
run ./cmd/kith/ Idle 1x
run ./internal/store/ 'Ingest|Machine' 3x
run ./internal/store/ 'Commit|Load' 100x
run ./internal/group/ . 50x
run ./internal/mls/ '/^(2|10|100)$' 50x
run ./internal/chain/ . 100x
run ./internal/dag/ . 1x
run ./internal/link/ . 200x
