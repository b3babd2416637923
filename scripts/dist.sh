#!/bin/sh
# Makes a release in dist/; docs/RELEASE.md says what is in it. The second page
# build is only read: its source maps say which packages the page holds.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache
(cd web && node_modules/.bin/vite build --sourcemap --outDir ../.cache/page-map --emptyOutDir --logLevel error)
exec go run ./scripts/dist -version "${1:-unknown}" -time "$(git log -1 --format=%ct)" -page-map .cache/page-map
