# `make help` lists what can be done here. Everything builds in one profile for the whole workspace,
# so that the programs, the tests and the benches share one compiled set of dependencies. Tests and
# everyday work compile our own code quickly and with checks at run time (.cargo/dev.toml); `run`,
# `build` and `bench` compile what is shipped.

SHELL := /bin/bash
.DEFAULT_GOAL := help
# LIBTORCH is for scripts/libtorch.sh; cargo always sees the link .libtorch, whose target may
# change without a rebuild.
CARGO := env -u LIBTORCH cargo
DEV := --config .cargo/dev.toml
ALL := --release --locked --workspace
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help run dev test fuzz check setup build bench lint deny need

help: ## list these tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build both programs and open the dashboard (ARGS="..." are passed on)
	@$(TARGET)/release/traintop $(ARGS)

dev: setup ## build both programs quickly, with run-time checks, and open the dashboard (ARGS as above)
	$(CARGO) $(DEV) build $(ALL) --bins
	@$(TARGET)/release/traintop $(ARGS)

test: setup ## run all tests, the worker's too, with run-time checks (TESTS="..." filters by name)
	$(CARGO) $(DEV) build $(ALL) --bins
	$(CARGO) $(DEV) test $(ALL) --lib --bins --test e2e $(TESTS)

# What `make fuzz` tries, and for how long at most.
FUZZ_INPUTS ?= 2000
FUZZ_SECONDS ?= 900
FUZZ_SEED ?= 1000

fuzz: setup ## damage every file that is read at random, FUZZ_INPUTS times from FUZZ_SEED on, at most FUZZ_SECONDS
	FUZZ_INPUTS=$(FUZZ_INPUTS) FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) \
		$(CARGO) $(DEV) test $(ALL) --test e2e fuzz:: -- --nocapture

check: setup ## check that everything compiles, in seconds after an edit
	$(CARGO) $(DEV) check $(ALL) --all-targets

setup: need ## find or make libtorch, fetch the dependencies' sources
	@scripts/libtorch.sh
	@$(CARGO) fetch --locked --quiet

build: setup ## build both programs in release
	$(CARGO) build $(ALL) --bins

bench: build ## measure the figures that README states, on generated data
	$(CARGO) bench --locked --workspace --bench files --bench dashboard --bench evaluate

lint: setup ## check formatting, lints and documents
	cargo fmt --all --check
	$(CARGO) $(DEV) clippy $(ALL) --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) $(DEV) doc $(ALL) --no-deps --document-private-items

# cargo-deny as CI has it. Built without optimising, it is there in two minutes.
DENY := $(TARGET)/tools/bin/cargo-deny

deny: $(DENY) ## check the licences, sources and doubles of dependencies
	$(DENY) --workspace --locked check bans licenses sources

$(DENY):
	$(CARGO) install cargo-deny --version 0.20.2 --locked --debug --root $(TARGET)/tools

need:
	@scripts/need.sh
