#!/bin/sh
# Parts of go test by name: scripts/mls.sh vectors | reject | seeds. They run
# although nothing changed, and print what they counted.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT

part() {
	if ! go test -count=1 "$@" >"$out" 2>&1; then
		cat "$out"
		exit 1
	fi
	grep -v '^=== \|^PASS$\|no test files\|no tests to run' "$out"
}

case ${1:-} in
vectors) part -v -run '^TestVectors' ./internal/mls/ ./internal/chain/ ./internal/dag/ ;;
reject) part -v -run '^TestMustReject$' ./internal/mls/ ;;
seeds) part -run '^Fuzz' ./internal/... ;;
*)
	echo 'usage: scripts/mls.sh vectors | reject | seeds' >&2
	exit 2
	;;
esac
