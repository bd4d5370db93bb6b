# Every command a developer needs. Logic longer than a few lines lives in scripts/ or in crates/xtask.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/gatehouse/target
export CARGO_TERM_COLOR ?= auto

GATEHOUSE = $(CARGO_TARGET_DIR)/release/gatehouse
RUN_FLAGS ?=

.PHONY: run build fmt lint test suites soak golden bench bench-routes bench-store fuzz new-plugin doc clean

run: build ## a platform and one node, joined over mTLS, with a sample service behind it
	$(GATEHOUSE) quickstart $(RUN_FLAGS)

build:
	cargo build --locked --release --package gatehouse

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	cargo check --locked --package gatehouse --no-default-features --features node-only
	cargo test --locked --package gatehouse-xtask
	RUSTDOCFLAGS="--deny warnings" cargo doc --locked --workspace --no-deps --quiet

test: ## installs and starts what the tests need, then runs everything short
	scripts/install-test-packages.sh
	cargo build --locked --package gatehouse
	cargo build --locked --release --package gatehouse
	GATEHOUSE_BINARY=$(CARGO_TARGET_DIR)/debug/gatehouse GATEHOUSE_RELEASE_BINARY=$(GATEHOUSE) \
		cargo test --locked --workspace --no-fail-fast

suites: ## the long forms of the tests
	GATEHOUSE_LONG=1 scripts/install-test-packages.sh
	cargo build --locked --package gatehouse
	GATEHOUSE_LONG=1 GATEHOUSE_BINARY=$(CARGO_TARGET_DIR)/debug/gatehouse cargo test --locked --workspace --no-fail-fast

soak: build ## kills and restarts under load, and thirty minutes in which everything around a node breaks
	scripts/install-test-packages.sh
	GATEHOUSE_SOAK=1 cargo test --locked --package gatehouse-store --test store -- --nocapture crash::
	GATEHOUSE_LONG=1 GATEHOUSE_SOAK=1 GATEHOUSE_BINARY=$(GATEHOUSE) cargo test --locked --package gatehouse-tests --test soak -- --nocapture

golden: ## replays recordings of the reference gateway where they exist beside the repository
	scripts/golden.sh

bench: build ## the node beside nginx and HAProxy on the same work; prints ratios
	scripts/bench.sh

bench-routes: build ## what routes cost, memory with many, answers while changes arrive
	python3 scripts/bench_routes.py --binary $(GATEHOUSE)

bench-store: build ## databases, whole documents, memory of a platform with 100,000 entities
	scripts/bench_store.sh

fuzz: ## a minute each for documents, frames, paths, HTTP/1.1 heads and chunks, PROXY headers, answers of name servers
	scripts/fuzz.sh

new-plugin: ## a folder for a plugin with a failing test: make new-plugin NAME=my-plugin
	@cargo run --locked --quiet --package gatehouse-xtask --bin new_plugin -- "$(NAME)"

doc:
	cargo doc --locked --workspace --no-deps

clean:
	cargo clean
