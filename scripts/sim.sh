#!/bin/sh
# The simulation. SEED and STEPS replay one run; without SEED, SEEDS many are
# played (10,000) from FROM (1) on, by one process for each processor; with FIVE=1
# they are schedules of five members of whom none lies (TestFive). The first
# failure ends its process, with the command that repeats it and the shortest
# schedule found.
set -eu
cd "$(dirname "$0")/.."
test=TestSim flag=seeds
[ -z "${FIVE:-}" ] || test=TestFive flag=five
if [ -n "${SEED:-}" ]; then
	set -- ./internal/sim -run "^$test\$" -v -seed="$SEED"
	[ -z "${STEPS:-}" ] || set -- "$@" -steps="$STEPS"
	exec go test "$@"
fi
mkdir -p .cache
bin=$PWD/.cache/sim.test
go test -c -o "$bin" ./internal/sim
cd internal/sim
parts=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
first=${FROM:-1}
all=${SEEDS:-10000}
each=$(((all + parts - 1) / parts))
pids=''
part=0
while [ "$part" -lt "$parts" ]; do
	count=$((all - part * each))
	[ "$count" -le "$each" ] || count=$each
	if [ "$count" -gt 0 ]; then
		"$bin" -test.run "^$test\$" -test.v -test.timeout 0 -from=$((first + part * each)) "-$flag=$count" ${STEPS:+-steps="$STEPS"} &
		pids="$pids $!"
	fi
	part=$((part + 1))
done
bad=0
for pid in $pids; do
	wait "$pid" || bad=1
done
exit $bad
