# Everything that people and CI do, one target each. `make help` lists them.
GO            ?= go
PKGS          ?= ./...
GOLANGCI      ?= v2.15.0
FUZZTIME      ?= 10s
BIN           ?= bin/retentiond
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
REVISION      ?= $(shell git rev-parse HEAD 2>/dev/null)
# One PostgreSQL and one MariaDB for all packages; without it each package starts its own.
WITH           = $(GO) run ./connectors/conntest/servers/with
# The same flags as in the Dockerfile: nothing of the folder, the machine or the day is in the binary.
LDFLAGS        = -s -w -buildid= -X main.version=$(VERSION) -X main.revision=$(REVISION)
BUILD          = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# Packages: what has no release yet sorts before every release.
NFPM          ?= $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4
DIST          ?= dist
PACKAGE_VERSION ?= $(shell echo '$(VERSION)' | sed -E 's/^v//; /^[0-9]+[.]/!s/^/0.0.0~/; s/-/./g')
# Of every file in a package: the commit's time, in seconds.
PACKAGE_TIME  ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 946684800)

# Tests of servers and processes mostly wait: more of them than processors run at once.
PARALLEL      ?= 6

# Rounds of the benchmarks: ways take turns, and the middle of the ratios counts.
ROUNDS        ?= 3
BENCH          = $(GO) test -run '^$$' -timeout 4h ./cmd/retentiond/bench

# A tag takes letters, digits and _.- alone; the examples under configs/ name :latest.
IMAGE         ?= retentiond
IMAGE_TAG     ?= $(shell echo '$(PACKAGE_VERSION)' | sed 's/[^A-Za-z0-9_.-]/-/g')

.PHONY: package package-test sbom reproducible image
.PHONY: help build test race lint bench bench-sqlite bench-files bench-postgres bench-mariadb bench-s3 bench-scale fuzz golden clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the static binary into bin/
	$(BUILD) -o $(BIN) ./cmd/retentiond

test: ## every test; nothing is skipped in silence
	$(WITH) $(GO) test -count=1 -timeout 60m -parallel $(PARALLEL) $(PKGS) ./testdata

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

bench-files: ## files beside find -delete (BENCH_ROWS=1000000 for the design's size; TMPDIR says where)
	$(BENCH) -bench Files -benchtime $(ROUNDS)x

bench-postgres: ## the same on PostgreSQL alone
	$(BENCH) -bench Postgres -benchtime $(ROUNDS)x

bench-mariadb: ## the same on MariaDB alone, with pt-archiver (percona-toolkit)
	$(BENCH) -bench MariaDB -benchtime $(ROUNDS)x

bench-s3: ## 100,000 objects of a bucket, beside a program that removes a thousand at once
	$(BENCH) -bench S3 -benchtime $(ROUNDS)x

bench-scale: ## 10 million rows, 100,000 held subjects, 1,000 rules: times and memory
	$(BENCH) -bench Scale -benchtime 1x

fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list $(PKGS)); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

golden: ## write the golden files anew; look at the diff
	$(WITH) $(GO) test ./connectors/... ./policies/... -update

package: build sbom ## .deb and .rpm with the SBOM beside them, into dist/
	@mkdir -p $(DIST)
	rm -f $(DIST)/*.deb $(DIST)/*.rpm
	for kind in deb rpm; do \
	  GOARCH=$$($(GO) env GOARCH) PACKAGE_VERSION='$(PACKAGE_VERSION)' SOURCE_DATE_EPOCH='$(PACKAGE_TIME)' \
	  $(NFPM) package -f configs/nfpm.yaml -p $$kind -t $(DIST)/ || exit 1; \
	done
	cd $(DIST) && rm -f SHA256SUMS && sha256sum -- * > SHA256SUMS

package-test: package ## what the packages hold, and that they install, into another root
	RETENTIOND_DIST=$(abspath $(DIST)) $(GO) test -count=1 -tags packages ./configs -run Package

sbom: build ## what the binary is made of, as CycloneDX JSON, into dist/
	@mkdir -p $(DIST)
	$(GO) run ./configs/packaging/sbom $(BIN) '$(VERSION)' > $(DIST)/retentiond.cdx.json

reproducible: ## two builds, from two folders, with caches of their own, are the same bytes
	configs/packaging/reproducible.sh '$(MAKE)' '$(GO)' '$(NFPM)' '$(VERSION)' '$(REVISION)' '$(PACKAGE_TIME)'

image: build ## the container image; its binary must be the one of `make build`
	docker build --build-arg VERSION='$(VERSION)' --build-arg REVISION='$(REVISION)' \
	  --build-arg DIGEST="sha256:$$(sha256sum $(BIN) | cut -d' ' -f1)" -t $(IMAGE):$(IMAGE_TAG) -t $(IMAGE):latest .

clean: ## remove what was built
	rm -rf bin dist
