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

.PHONY: help build test race lint bench fuzz golden clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the static binary into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/retentiond

test: ## every test; nothing is skipped in silence
	$(WITH) $(GO) test -count=1 -timeout 20m $(PKGS) ./testdata

race: ## every test under the race detector (needs cgo)
	$(WITH) env CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 40m $(PKGS)

lint: bin/golangci-lint ## the linters; .golangci.yml says why what is off is off
	./bin/golangci-lint run $(PKGS)

bin/golangci-lint:
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)

bench: ## the benchmarks, as ratios of one run
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m $(PKGS)

fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list $(PKGS)); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

golden: ## write the golden files anew; look at the diff
	$(WITH) $(GO) test ./connectors/... ./policies/... -update

clean: ## remove what was built
	rm -rf bin dist
