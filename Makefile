# Everything that people and CI do, one target each. `make help` lists them.
GO            ?= go
PKGS          ?= ./...
GOLANGCI      ?= v2.15.0
FUZZTIME      ?= 10s
BIN           ?= bin/retentiond
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# One PostgreSQL and one MariaDB for all packages; without it each package starts its own.
WITH           = $(GO) run ./connectors/conntest/servers/with
LDFLAGS        = -s -w -X main.version=$(VERSION)

# Tests of servers and processes mostly wait: more of them than processors run at once.
PARALLEL      ?= 6

# Rounds of the benchmarks: ways take turns, and the middle of the ratios counts.
ROUNDS        ?= 3
BENCH          = $(GO) test -run '^$$' -timeout 4h ./cmd/retentiond/bench

.PHONY: help build test race lint bench bench-sqlite bench-postgres bench-mariadb bench-scale fuzz golden clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the static binary into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/retentiond

test: ## every test; nothing is skipped in silence
	$(WITH) $(GO) test -count=1 -timeout 20m -parallel $(PARALLEL) $(PKGS) ./testdata

race: ## every test under the race detector (needs cgo)
	$(WITH) env CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 40m $(PKGS)

lint: bin/golangci-lint ## the linters; .golangci.yml says why what is off is off
	./bin/golangci-lint run $(PKGS)

bin/golangci-lint:
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)

bench: ## beside other ways, as ratios of one run (BENCH_ROWS=5000000 for the design's sizes)
	$(BENCH) -bench 'SQLite|Postgres|MariaDB' -benchtime $(ROUNDS)x

bench-sqlite: ## the same on SQLite alone
	$(BENCH) -bench SQLite -benchtime $(ROUNDS)x

bench-postgres: ## the same on PostgreSQL alone
	$(BENCH) -bench Postgres -benchtime $(ROUNDS)x

bench-mariadb: ## the same on MariaDB alone, with pt-archiver (percona-toolkit)
	$(BENCH) -bench MariaDB -benchtime $(ROUNDS)x

bench-scale: ## 10 million rows, 100,000 held subjects, 1,000 rules: times and memory
	$(BENCH) -bench Scale -benchtime 1x

fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list $(PKGS)); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

golden: ## write the golden files anew; look at the diff
	$(WITH) $(GO) test ./connectors/... ./policies/... -update

clean: ## remove what was built
	rm -rf bin dist
