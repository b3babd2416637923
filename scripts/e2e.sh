#!/bin/sh
# Drives the page in Chromium against real nodes of bin/kith.
set -eu
cd "$(dirname "$0")/.."
for name in chromium chromium-browser google-chrome; do
	if command -v "$name" >/dev/null 2>&1; then
		cd web && exec node e2e/run.mjs
	fi
done
echo 'left out: no Chromium on this machine'
