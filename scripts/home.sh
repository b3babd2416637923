#!/bin/sh
# Makes the homes of Ann and Ben, friends with a group, by a program that is to
# be remembered: scripts/home.sh PROGRAM FOLDER. cmd/kith/testdata/homes/README.md
# says what for.
set -eu
kith=$(realpath "$1")
mkdir "$2"
cd "$2"
unset KITH_HOME

ann() { "$kith" --home ann "$@"; }
ben() { "$kith" --home ben "$@"; }

# await PATTERN PERSON ARGS...: until what the program prints matches
await() {
	pattern=$1
	shift
	tries=0
	until "$@" 2>&1 | grep -Eq "$pattern"; do
		tries=$((tries + 1))
		if [ $tries -gt 300 ]; then
			echo "waited in vain for $pattern in $*" >&2
			exit 1
		fi
		sleep 0.2
	done
}

stop() {
	kill -INT "$a" "$b" 2>/dev/null || true
	wait "$a" "$b" || true
}

ann init --name Ann >/dev/null
ben init --name Ben >/dev/null
"$kith" --home ann run --listen 127.0.0.1:0 >/dev/null &
a=$!
"$kith" --home ben run --listen 127.0.0.1:0 >/dev/null &
b=$!
trap stop EXIT
await 'name +Ann' ann whoami
await 'name +Ben' ben whoami

ben friend add "$(ann link --json | sed 's/.*"link":"\(kith:[^"]*\)".*/\1/')" >/dev/null
await Ben ann friend requests
ann friend accept Ben >/dev/null
await 'friend, here now' ben friend list
await 'Ann +direct chat$' ben group list

ann send 'Notes to self' 'Buy film'
ann send Ben 'Hello Ben'
await 'Hello Ben' ben tail Ann
ben send Ann 'Hello Ann'
await 'Hello Ann' ann tail Ben

ann group create Walk Ben >/dev/null
await 'Ann invites you' ben group list
ben group accept Walk >/dev/null
await '("accepted":true.*){2}' ann group show Walk --json
ben send Walk 'Friday at eight?'
await 'Friday at eight' ann tail Walk
ann group rename Walk 'Harbour walk' >/dev/null
await 'Harbour walk' ben group list

ann group remove 'Harbour walk' Ben >/dev/null
await 'Ann removed you' ben group list
ann send 'Harbour walk' 'Without Ben'
ann group add 'Harbour walk' Ben >/dev/null
await 'Ann invites you' ben group list
ben group accept 'Harbour walk' >/dev/null
await '("accepted":true.*){2}' ann group show 'Harbour walk' --json
await '("accepted":true.*){2}' ben group show 'Harbour walk' --json
ann send 'Harbour walk' 'Welcome back'
await 'Welcome back' ben tail 'Harbour walk'
ben send 'Harbour walk' 'Good to be back'
await 'Good to be back' ann tail 'Harbour walk'
for chat in 'ann tail Ben' 'ben tail Ann'; do
	await '"reached":1,"reach_of":1' $chat --json
done
await 'Welcome back.*"reached":1' ann tail 'Harbour walk' --json
await 'Good to be back.*"reached":1' ben tail 'Harbour walk' --json

trap - EXIT
stop
rm -f ann/web-port ben/web-port ann/kith.db-shm ben/kith.db-shm
for log in ann/kith.db-wal ben/kith.db-wal; do
	if [ -s $log ]; then
		echo "$log is not empty: the program did not end well" >&2
		exit 1
	fi
	rm -f $log
done
