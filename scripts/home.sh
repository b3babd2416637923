#!/bin/sh
# Makes the homes of Ann, Ben and Cleo, and what each is shown of its chats, by a
# program that is to be remembered: scripts/home.sh PROGRAM FOLDER.
# internal/store/testdata/homes/README.md says what for.
set -eu
kith=$(realpath "$1")
mkdir "$2"
cd "$2"
unset KITH_HOME

ann() { "$kith" --home ann "$@"; }
ben() { "$kith" --home ben "$@"; }
cleo() { "$kith" --home cleo "$@"; }

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

# has VERB: the program knows it
has() { "$kith" --help | grep -Eq "^  $1 "; }

# first NAME PERSON ARGS...: what NAME is in the first JSON object that is printed
first() {
	name=$1
	shift
	"$@" --json | head -n 1 | sed "s/^{\(.*,\)*\"$name\":\"\([^\"]*\)\".*/\2/"
}

# seen PERSON: writes what the program shows of each chat
seen() {
	mkdir -p "seen/$1"
	"$kith" --home "$1" group list --json >"seen/$1/chats.list"
	sed 's/^{"id":"\([0-9a-f]*\)".*/\1/' "seen/$1/chats.list" | while read -r chat; do
		"$kith" --home "$1" tail "$chat" -n 500 --json >"seen/$1/$chat.tail"
		"$kith" --home "$1" group chain "$chat" --json >"seen/$1/$chat.chain" 2>/dev/null || rm "seen/$1/$chat.chain"
	done
}

a='' b='' c=''
stop() {
	kill -INT $a $b $c 2>/dev/null || true
	wait $a $b $c || true
	a='' b='' c=''
}

for who in ann ben cleo; do
	name=$(echo $who | sed 's/^a/A/; s/^b/B/; s/^c/C/')
	"$kith" --home $who init --name "$name" >/dev/null
done
"$kith" --home ann run --listen 127.0.0.1:0 >/dev/null &
a=$!
"$kith" --home ben run --listen 127.0.0.1:0 >/dev/null &
b=$!
"$kith" --home cleo run --listen 127.0.0.1:0 >/dev/null &
c=$!
trap stop EXIT
await 'name +Ann' ann whoami
await 'name +Ben' ben whoami
await 'name +Cleo' cleo whoami

for who in ben cleo; do
	name=$(echo $who | sed 's/^b/B/; s/^c/C/')
	"$kith" --home $who friend add "$(ann link --json | sed 's/.*"link":"\(kith:[^"]*\)".*/\1/')" >/dev/null
	await "$name" ann friend requests
	ann friend accept "$name" >/dev/null
	await 'friend, here now' "$who" friend list
	await 'Ann +direct chat$' "$who" group list
done

ann send 'Notes to self' 'Buy film' >/dev/null
ann send Ben 'Hello Ben' >/dev/null
await 'Hello Ben' ben tail Ann
ben send Ann 'Hello Ann' >/dev/null
await 'Hello Ann' ann tail Ben
await '"reached":1,"reach_of":1' ann tail Ben --json
await '"reached":1,"reach_of":1' ben tail Ann --json

# A group of three that gets another title.
ann group create Walk Ben Cleo >/dev/null
for who in ben cleo; do
	await 'Ann invites you' $who group list
	$who group accept Walk >/dev/null
done
await '("accepted":true.*){3}' ann group show Walk --json
await '("accepted":true.*){3}' ben group show Walk --json
ben send Walk 'Friday at eight?' >/dev/null
await 'Friday at eight' ann tail Walk
await 'Friday at eight' cleo tail Walk
ann group rename Walk 'Harbour walk' >/dev/null
await 'Harbour walk' ben group list
await 'Harbour walk' cleo group list
ann send 'Harbour walk' 'Nine is better' >/dev/null
await 'Nine is better' ben tail 'Harbour walk'
await 'Nine is better' cleo tail 'Harbour walk'
ben send 'Harbour walk' 'Nine it is' >/dev/null
await 'Nine it is' ann tail 'Harbour walk'
await 'Nine it is' cleo tail 'Harbour walk'

# What else may be done about messages, where the program knows it.
if has react; then
	ask=$(first id ben tail 'Harbour walk' -n 1)
	cleo reply 'Harbour walk' "$ask" 'Good' >/dev/null
	ann react 'Harbour walk' "$ask" 👍 >/dev/null
	ben edit 'Harbour walk' "$ask" 'Nine, then' >/dev/null
	ann pin 'Harbour walk' "$ask" >/dev/null
	cleo send 'Harbour walk' 'My telephone is 555 0100' >/dev/null
	await 555 ben tail 'Harbour walk'
	await 555 ann tail 'Harbour walk'
	cleo delete 'Harbour walk' last >/dev/null
	cleo poll 'Harbour walk' 'Which way?' 'along the quay' 'over the hill' >/dev/null
	await 'Which way' ann tail 'Harbour walk'
	await 'Which way' ben tail 'Harbour walk'
	ann vote 'Harbour walk' last 1 >/dev/null
	ben vote 'Harbour walk' last 2 >/dev/null
	for who in ann ben cleo; do
		await 'along the quay +1: ' $who tail 'Harbour walk'
		await 'over the hill +1: ' $who tail 'Harbour walk'
		await 'Nine, then.*pinned' $who tail 'Harbour walk'
		await 'Cleo: .deleted|you: .deleted' $who tail 'Harbour walk'
		await 'Good' $who tail 'Harbour walk'
		await '👍' $who tail 'Harbour walk'
	done
fi

# A group that Cleo was removed from.
ann group create Boat Ben Cleo >/dev/null
for who in ben cleo; do
	await 'Boat.*Ann invites you' $who group list
	$who group accept Boat >/dev/null
done
await '("accepted":true.*){3}' ann group show Boat --json
cleo send Boat 'I get seasick' >/dev/null
await seasick ann tail Boat
await seasick ben tail Boat
ann group remove Boat Cleo >/dev/null
await 'Boat.*Ann removed you' cleo group list
ann send Boat 'Only two seats' >/dev/null
await 'Only two seats' ben tail Boat
await 'Only two seats.*"reached":1' ann tail Boat --json

# A group whose newcomer is given the time before, and where messages disappeared for a while; who read what.
if has expire; then
	for who in ann ben cleo; do
		! has read || $who settings read on >/dev/null
	done
	ann group create Film Ben >/dev/null
	await 'Film.*Ann invites you' ben group list
	ben group accept Film >/dev/null
	await '("accepted":true.*){2}' ann group show Film --json
	ann group policy Film --history all >/dev/null
	ann expire Film 4w >/dev/null
	ann expire Film off >/dev/null
	ann send Film 'Black and white' >/dev/null
	ben send Film 'And silent' >/dev/null
	await silent ann tail Film
	await '"reached":1,"reach_of":1' ann tail Film --json
	ann group add Film Cleo >/dev/null
	await 'Film.*Ann invites you' cleo group list
	cleo group accept Film >/dev/null
	await 'Black and white' cleo tail Film
	await 'And silent' cleo tail Film
	await '("accepted":true.*){3}' ann group show Film --json
	! has read || cleo read Film >/dev/null
	cleo send Film 'With a piano' >/dev/null
	await piano ann tail Film
	await piano ben tail Film
	await '"reached":2,"reach_of":2' cleo tail Film --json
fi

seen ann
seen cleo
kill -INT $a $c
wait $a $c || true
a='' c=''
await 'Ann  friend$' ben friend list

# What nobody else has yet.
ben send 'Harbour walk' 'Written while you were off' >/dev/null
ben send Boat 'And this' >/dev/null
seen ben

trap - EXIT
stop
for who in ann ben cleo; do
	rm -f $who/web-port $who/kith.db-shm
	if [ -s $who/kith.db-wal ]; then
		echo "$who: the log of the database is not empty: the program did not end well" >&2
		exit 1
	fi
	rm -f $who/kith.db-wal
done
