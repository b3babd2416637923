#!/bin/sh
# Unit tests of the page, and the size of what a browser loads first.
set -eu
cd "$(dirname "$0")/../web"
node_modules/.bin/vitest run
npm run --silent size
