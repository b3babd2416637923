#!/bin/sh
# The race detector over the packages that start goroutines, or PKG.
set -eu
cd "$(dirname "$0")/.."
if ! command -v gcc >/dev/null 2>&1; then
	echo 'left out: the race detector needs gcc'
	exit 0
fi
# shellcheck disable=SC2086 # a list of packages
CGO_ENABLED=1 go test -race ${PKG:-./internal/link/... ./internal/peer/... ./internal/node/... ./internal/api/... ./internal/mailbox/... ./internal/mailnats ./internal/rendezvous/...}
