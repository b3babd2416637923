#!/bin/sh
# make test: every step says what it does and how long it took. What this
# machine cannot run is named at the end, never left out in silence.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache
LEFT_OUT=$PWD/.cache/left-out
export LEFT_OUT
: >"$LEFT_OUT"
begun=$(date +%s)

step() {
	printf '== %s\n' "$1"
	shift
	from=$(date +%s)
	"$@"
	printf '   done in %s s\n' "$(($(date +%s) - from))"
}

# Packages that wait more than they work go beside those that work, of which one runs at a time.
waiting='./cmd/kith ./internal/link ./internal/mailnats ./internal/node'
go_test() {
	all=$(go list ./...)
	# shellcheck disable=SC2086 # several packages
	rest=$(printf '%s\n' "$all" | grep -vxF "$(go list $waiting)")
	# shellcheck disable=SC2086
	go test -timeout 15m -p 2 $waiting &
	beside=$!
	trap 'kill "$beside" 2>/dev/null || :' EXIT
	bad=0
	# shellcheck disable=SC2086
	go test -timeout 15m -p 1 $rest || bad=1
	wait "$beside" || bad=1
	return "$bad"
}

step 'setup: what the tests need' scripts/setup.sh
step 'page and program: build' make --no-print-directory build
step 'lint: gofumpt, go vet, staticcheck, svelte-check' scripts/lint.sh
step 'proto: the generated code is up to date' scripts/proto-check.sh
step 'page: unit tests' scripts/page-test.sh
step 'go test: every package, with layers, vectors, fuzz seeds, simulation, stories, documents' go_test
step 'interop: live against two other MLS implementations' scripts/interop.sh
step 'e2e: the page in a real Chromium' scripts/e2e.sh

if [ -s "$LEFT_OUT" ]; then
	echo '== left out on this machine:'
	sed 's/^/   /' "$LEFT_OUT"
fi
printf '== all tests passed in %s s\n' "$(($(date +%s) - begun))"
