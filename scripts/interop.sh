#!/bin/sh
# Groups shared with two other MLS implementations: one in Go, one in TypeScript
# behind a pipe.
set -eu
cd "$(dirname "$0")/../interop"
if command -v npm >/dev/null 2>&1; then
	(cd ts && npm ci --no-audit --no-fund --loglevel=error)
else
	echo 'interop with ts-mls: no npm on this machine' >>"${LEFT_OUT:-/dev/stderr}"
fi
go test ./...
