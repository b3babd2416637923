#!/bin/sh
# Generates the code of proto/ into a fresh folder and compares it with what is
# tracked.
set -eu
cd "$(dirname "$0")/.."
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

go tool -modfile=tools/go.mod buf lint
go tool -modfile=tools/go.mod buf generate --output "$new"
for kind in proto web/src/gen; do
	(cd "$new" && find "$kind" -type f) | while read -r file; do
		if ! cmp -s "$new/$file" "$file"; then
			echo "$file is not what proto/ says: run make proto and commit it" >&2
			exit 1
		fi
	done
done
