# Kith. `make help` lists the targets; what takes more than a line is in scripts/.
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:

# One setting for everything but the race detector, which needs cgo: each
# change of it compiles most dependencies anew.
export CGO_ENABLED = 0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

PAGE := web/dist/index.html
PAGE_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune \
	-o -path web/e2e -prune -o -path web/screenshots -prune -o -type f -print 2>/dev/null)

.PHONY: help run demo build page test e2e sim interop vectors reject seeds soak bench bench-idle bench-peers fuzz race lint proto dist assure clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build all, run a node and open its page; KITH_HOME=DIR for another home
	bin/kith run --open

demo: build ## three people on this machine in one group
	bin/kith demo

build: bin/kith ## build the page and the program into bin/kith

bin/kith: $(PAGE) FORCE
	go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/kith

page: $(PAGE) ## build the page into web/dist

web/node_modules/.stamp: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

$(PAGE): web/node_modules/.stamp $(PAGE_SOURCES)
	cd web && node_modules/.bin/vite build --logLevel error
	touch $@

test: ## everything that must hold; installs what it needs where it may
	scripts/test.sh

e2e: build ## the page in a real Chromium
	scripts/e2e.sh

sim: ## simulation: SEEDS=10000 many seeds on all cores; SEED=1 STEPS=2000 replays one run
	scripts/sim.sh

interop: ## groups shared with other MLS implementations
	scripts/interop.sh

vectors: ## the official vectors of MLS, and those of docs/spec/vectors
	scripts/mls.sh vectors

reject: ## what MLS must refuse: valid objects with one rule broken
	scripts/mls.sh reject

seeds: ## the seeds of every fuzz target, as go test runs them
	scripts/mls.sh seeds

soak: build ## 20 nodes for 15 minutes with cuts and kills: SOAK=2m SOAK_NODES=8 for less
	scripts/soak.sh

bench: ## benchmarks: PKG=./internal/store/ BENCH=Page for one; N=10000 for larger groups
	scripts/bench.sh

bench-idle: ## what a resting program costs: IDLE=2m REST=1m for a short one; needs root
	go test ./cmd/kith/ -run '^$$' -bench 'Rest$$' -benchtime 1x -timeout 2h

bench-peers: ## MLS beside another implementation, N=100 for groups of up to 100; a node beside a relay
	scripts/bench-peers.sh

fuzz: ## fuzz targets: PKG=./internal/wire/ F=FuzzReader T=1m
	scripts/fuzz.sh

race: ## race detector over the packages with goroutines; needs gcc
	scripts/race.sh

lint: ## gofumpt, go vet, staticcheck, svelte-check
	scripts/lint.sh

proto: web/node_modules/.stamp ## generate Go and TypeScript from proto/
	go tool -modfile=tools/go.mod buf generate

dist: $(PAGE) ## static programs for six systems, checksums, licences, SBOM
	scripts/dist.sh $(VERSION)

assure: build ## what is too long for make test
	scripts/assure.sh

clean: ## remove what was built
	rm -rf bin dist web/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete

# Parameters reach the scripts as environment variables.
export PKG F T SOAK SOAK_NODES SEED SEEDS FROM STEPS BENCH N VERSION
