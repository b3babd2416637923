#!/bin/sh
# Go benchmarks: PKG and BENCH choose.
set -eu
cd "$(dirname "$0")/.."
# shellcheck disable=SC2086 # a list of packages
exec go test -run '^$' -bench "${BENCH:-.}" -benchmem ${PKG:-./internal/...}
