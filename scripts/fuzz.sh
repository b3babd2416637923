#!/bin/sh
# Fuzz targets one after the other: PKG and F choose, T is the time for each.
# Inputs are made smaller by 10 tries only: by its default the fuzzer spends a
# minute on each new one, and a target whose coverage wavers tries little else.
set -eu
cd "$(dirname "$0")/.."
time=${T:-10s}
packages=${PKG:-$(grep -l '^func Fuzz' -r internal cmd --include='*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|')}
for package in $packages; do
	targets=${F:-$(cat "$package"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p')}
	for target in $targets; do
		echo "== $package $target, $time"
		go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x
	done
done
