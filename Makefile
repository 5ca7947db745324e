# The commands of holdfast. Only Go is needed.
GO       ?= go
DATA     ?= ../shared/data
FUZZTIME ?= 20s
SEEDS    ?= 500
MINUTES  ?= 2

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: demo run build test faultsim torture lint bench bench-quality fuzz

## demo: a simulated store network with its faults; holds as they come (ctrl-C ends it)
demo: build
	./bin/holdfast demo

## run: NATS, state, HTTP and console on this machine, under ./holdfast-data
run: build
	./bin/holdfast run

# Without cgo all memory is the Go heap's, so all of it comes in huge pages; nothing needs a C compiler.
build:
	CGO_ENABLED=0 $(GO) build -o bin/holdfast ./cmd/holdfast

## test: everything, with the race detector; among it a look at the licences of all modules
test: faultsim
	$(GO) test -race -timeout 15m ./...

## faultsim: partitions under faults drawn from SEEDS seeds; SEED=n repeats one and tells its story
faultsim:
	$(GO) test ./internal/faultsim -timeout 0 $(if $(SEED),-run TestSeeds -v -args -seed $(SEED),-args -seeds $(SEEDS))

## torture: a broker and a holdfast, killed, paused and damaged for MINUTES; SEED=n draws that load and those faults
torture:
	$(GO) test ./internal/torture -timeout 0 -v -args -minutes $(MINUTES) $(if $(SEED),-seed $(SEED))

lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@if $(GO) run $(GOVULNCHECK) -test=false ./... > bin/govulncheck.txt 2>&1; then echo "govulncheck: nothing known"; \
	elif grep -qE 'no such host|connection refused|dial tcp|fetching vulnerabilities|timeout' bin/govulncheck.txt; then echo "govulncheck: its data cannot be reached from here, not checked"; \
	else cat bin/govulncheck.txt; exit 1; fi

## bench: catch-up beside its references, latency at a steady rate, a flash sale; a table, and report.html in bin/bench
bench: build
	./bin/holdfast bench --out bin/bench

## bench-quality: how good decisions are, in simulated networks whose truth is known, beside what people use today; report.html in bin/quality
bench-quality: build
	./bin/holdfast bench quality --out bin/quality

## fuzz: every fuzz target for FUZZTIME each
fuzz:
	@for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
	    echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done
