#!/bin/sh
# Format and static checks; prints what is wrong, changes nothing.
set -eu
cd "$(dirname "$0")/.."

unformatted=$(go tool -modfile=tools/go.mod gofumpt -l cmd internal scripts web/*.go)
if [ -n "$unformatted" ]; then
	echo "not formatted; run: go tool -modfile=tools/go.mod gofumpt -w" "$unformatted" >&2
	exit 1
fi
go vet ./...
go tool -modfile=tools/go.mod staticcheck ./...
make --no-print-directory web/node_modules/.stamp
cd web && node_modules/.bin/svelte-check --tsconfig ./tsconfig.json --fail-on-warnings --output human
