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

step 'setup: what the tests need' scripts/setup.sh
step 'page and program: build' make --no-print-directory build
step 'lint: gofumpt, go vet, staticcheck, svelte-check' scripts/lint.sh
step 'proto: the generated code is up to date' scripts/proto-check.sh
step 'page: unit tests' scripts/page-test.sh
step 'go test: every package, with layers, vectors, fuzz seeds, simulation, stories, documents' go test -timeout 15m ./...
step 'interop: live against two other MLS implementations' scripts/interop.sh
step 'e2e: the page in a real Chromium' scripts/e2e.sh

if [ -s "$LEFT_OUT" ]; then
	echo '== left out on this machine:'
	sed 's/^/   /' "$LEFT_OUT"
fi
printf '== all tests passed in %s s\n' "$(($(date +%s) - begun))"
