#!/bin/sh
# The same work with our MLS and with mls-go in one run, in groups of up to N; and texts taken in by a node
# and by a Nostr relay.
set -eu
cd "$(dirname "$0")/../interop"
go test -run '^$' -bench '^BenchmarkBeside$' -benchtime 1x -timeout 1h . | grep '^|\|^$\|FAIL\|panic'
cd ../bench
go test -run '^$' -bench '^BenchmarkRelay$' -benchtime 1x -timeout 1h . | grep '^|\|^$\|FAIL\|panic'
