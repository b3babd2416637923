#!/bin/sh
# Go benchmarks. PKG and BENCH choose; without them all run, in some minutes,
# with as many rounds as each needs. docs/benchmarks.md says what the longer
# ones were run with. N is the largest group in the tables of MLS.
set -eu
cd "$(dirname "$0")/.."

# show OPTION PATTERN COMMAND: passes on what grep lets through of the output,
# and fails if the command does: a pipe has the status of its end alone.
ok=$(mktemp -d)
trap 'rm -rf "$ok"' EXIT
show() {
	lines=$1 pattern=$2
	shift 2
	{ "$@" && : >"$ok/yes"; } | grep "$lines" "$pattern" || true
	rm "$ok/yes" 2>/dev/null || { echo "bench: $* failed" >&2; exit 1; }
}

# run PACKAGE PATTERN ROUNDS: -p 1 and one package at a time, for figures that
# do not disturb each other.
run() {
	show -v '^goos:\|^goarch:\|^PASS' go test -p 1 -run '^$' -bench "$2" -benchtime "$3" -benchmem "$1"
}

# mls prints the tables of docs/benchmarks.md for groups of up to N.
mls() {
	sizes=2
	for n in 10 100 1000 10000; do
		[ "$n" -gt "${N:-1000}" ] || sizes=$sizes,$n
	done
	export MLS_BENCH_SIZES=$sizes
	show -e '^|\|^$\|^Parts\|FAIL\|panic\|_test.go:' \
		go test -run '^$' -bench '^BenchmarkTable$' -benchtime 1x -timeout 1h ./internal/mls/ -table
}

if [ "${PKG:-}" = ./internal/mls/ ] && [ -z "${BENCH:-}" ]; then
	mls
	exit
fi
if [ -n "${PKG:-}${BENCH:-}" ]; then
	# shellcheck disable=SC2086 # a list of packages
	exec go test -p 1 -run '^$' -bench "${BENCH:-.}" -benchmem ${PKG:-./internal/...}
fi

run ./internal/node/ Delivery 500x
run ./internal/node/ CatchUp 1x
run ./internal/node/ Cut 1x
run ./cmd/kith/ Idle 1x
run ./internal/store/ 'Ingest|Machine' 3x
run ./internal/store/ 'Commit|Load|Forget' 100x
run ./internal/store/ Search 200x
run ./internal/group/ . 50x
mls
run ./internal/chain/ . 100x
run ./internal/dag/ . 1x
run ./internal/link/ . 200x
