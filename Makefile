# Paddock. `make run` brings it up, `make test` checks everything; both install what is missing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Versions of the tools. wasm-bindgen must be the one in Cargo.lock, to the letter.
CARGO_LEPTOS := 0.3.10
WASM_BINDGEN := 0.2.130
LEPTOSFMT    := 0.1.33
SQLX_CLI     := 0.8.6
CARGO_FUZZ   := 0.13.2
BINARYEN     := 132.0.0
FAKEPVE      := 0.5.0

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
TOOLS  := $(or $(PADDOCK_TOOLS),$(HOME)/.cache/paddock/tools)
DEV    := $(TARGET)/dev
export PATH := $(TOOLS)/bin:$(TOOLS)/node_modules/.bin:$(PATH)
# The queries are checked against .sqlx, whatever database the environment names.
export SQLX_OFFLINE := true

.PHONY: help run build test lint unit browser fuzz bench bench-history sqlx clean-dev
help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: build packages-host ## Bring Paddock up at 127.0.0.1:3000 (on a host without Proxmox: with sample guests of its own)
	@if [ -e /etc/pve ]; then exec "$(TARGET)/release/paddock" serve; fi; \
	.ci/dev-host "$(DEV)"; \
	PADDOCK_DATA="$${PADDOCK_DATA:-$(DEV)/data}" PADDOCK_LXC_PATH="$(DEV)/lxc" \
	PADDOCK_LXC_CREATE_CONFIG="$(DEV)/lxc.conf" PADDOCK_CRUN_ROOT="$(DEV)/crun" \
	PADDOCK_CRUN_BUNDLES="$(DEV)/bundles" PADDOCK_CRUN_IMAGES="$(DEV)/images" \
	exec .ci/in-cgroup "$(TARGET)/release/paddock" serve

build: tools-build ## Build the release: target/release/paddock and target/site
	cargo leptos build --release --precompress --split

test: lint unit browser ## Everything: formatting, lints, unit and integration tests, browser tests

lint: tools-build $(TOOLS)/.leptosfmt-$(LEPTOSFMT) ## rustfmt, leptosfmt, clippy for server and browser
	cargo fmt --all --check
	leptosfmt --check --quiet app/src/ui
	cargo clippy -p app -p server --all-targets --features app/ssr -- -D warnings
	cargo clippy -p frontend --target wasm32-unknown-unknown -- -D warnings

unit: packages-host $(TOOLS)/.fakepve-$(FAKEPVE) ## Unit and integration tests, on real LXC, real crun and a fake Proxmox
	PADDOCK_FAKEPVE_PYTHON=$(TOOLS)/fakepve/bin/python .ci/in-cgroup timeout --verbose 45m cargo test -p app -p server --features app/ssr

ROUNDS := 200
crash: packages-host $(TOOLS)/.fakepve-$(FAKEPVE) ## kill -9 at ROUNDS=200 random instants under load: no record is lost (SEED=N repeats a run's chances)
	PADDOCK_FAKEPVE_PYTHON=$(TOOLS)/fakepve/bin/python PADDOCK_CRASH_ROUNDS=$(ROUNDS) $(if $(SEED),PADDOCK_CRASH_SEED=$(SEED)) \
	.ci/in-cgroup cargo test -p app -p server --features app/ssr --test crash -- --nocapture

browser: build packages-host packages-browser end2end/node_modules/.installed ## The release server in a real Chromium, with and without JavaScript
	.ci/in-cgroup env PADDOCK_TARGET="$(TARGET)" npm --prefix end2end test

sqlx: $(TOOLS)/.sqlx-cli-$(SQLX_CLI) ## Write .sqlx anew after a query or a migration changed
	@directory=$$(mktemp -d); trap 'rm -rf "$$directory"' EXIT; export SQLX_OFFLINE=false DATABASE_URL="sqlite:$$directory/sqlx.db"; \
	cargo sqlx database create; cargo sqlx migrate run --source migrations; \
	cargo sqlx prepare --workspace -- -p app --features ssr

bench: build packages-host packages-bench packages-browser $(TOOLS)/.fakepve-$(FAKEPVE) end2end/node_modules/.installed ## The budgets' table measured, beside the bare tools, in 25 minutes (QUICK=1: three); then the hot functions
	PADDOCK_BENCH="$(TARGET)/bench" PADDOCK_PROGRAM="$(TARGET)/release/paddock" PADDOCK_FAKEPVE_PYTHON=$(TOOLS)/fakepve/bin/python \
	.ci/in-cgroup cargo bench -p app --features ssr --bench budgets
	cargo bench -p app --features ssr --bench hot

ROWS := 1000000
bench-history: ## Pages and exports of a history of ROWS=1000000 operations, and its size; the database is made once
	ROWS=$(ROWS) PADDOCK_BENCH="$(TARGET)/bench" cargo bench -p app --features ssr --bench history

SECONDS := 60
fuzz: $(TOOLS)/.cargo-fuzz-$(CARGO_FUZZ) ## Each parser against a fuzzer, SECONDS=60 each
	@cd app/fuzz; for target in fuzz_targets/*.rs; do name=$$(basename $$target .rs); echo "== $$name"; \
	RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$(TARGET)/fuzz" cargo fuzz run --fuzz-dir . $$name -- -max_total_time=$(SECONDS) -print_final_stats=1 2>&1 \
	| grep -E 'stat::number_of_executed_units|panicked|ERROR|SUMMARY|^error'; done

clean-dev: ## End and delete the development host's sample guests
	.ci/dev-host --remove "$(DEV)"

# ---- What the steps above need. What is quick to look up is looked up each time; what is built leaves a mark. ----
.PHONY: tools-build tools-rust tools-node packages-host packages-bench packages-browser

tools-build: tools-rust $(TOOLS)/.cargo-leptos-$(CARGO_LEPTOS) $(TOOLS)/.wasm-bindgen-$(WASM_BINDGEN) $(TOOLS)/.binaryen-$(BINARYEN)

tools-rust:
	@command -v cargo >/dev/null || { echo 'Paddock needs Rust 1.95 or newer: install it with rustup, then try again.' >&2; exit 1; }
	.ci/apt build-essential pkg-config libssl-dev
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
	@rustup component list --installed | grep -q '^clippy' || rustup component add clippy rustfmt

# Tools that only call compilers gain nothing from being optimised themselves: half the time to build.
$(TOOLS)/.cargo-leptos-$(CARGO_LEPTOS): | tools-rust
	mkdir -p $(TOOLS)
	CARGO_TARGET_DIR=$(TOOLS)/target CARGO_PROFILE_DEV_DEBUG=0 cargo install --root $(TOOLS) cargo-leptos --version $(CARGO_LEPTOS) --locked --features no_downloads --profile dev
	touch $@

$(TOOLS)/.wasm-bindgen-$(WASM_BINDGEN): | tools-rust
	mkdir -p $(TOOLS)
	CARGO_TARGET_DIR=$(TOOLS)/target cargo install --root $(TOOLS) wasm-bindgen-cli --version $(WASM_BINDGEN)
	touch $@

$(TOOLS)/.leptosfmt-$(LEPTOSFMT): | tools-rust
	mkdir -p $(TOOLS)
	CARGO_TARGET_DIR=$(TOOLS)/target CARGO_PROFILE_DEV_DEBUG=0 cargo install --root $(TOOLS) leptosfmt --version $(LEPTOSFMT) --locked --profile dev
	touch $@

# The sanitizers need switches that a stable compiler has, but only shows to whom asks so.
$(TOOLS)/.cargo-fuzz-$(CARGO_FUZZ): | tools-rust
	mkdir -p $(TOOLS)
	CARGO_TARGET_DIR=$(TOOLS)/target CARGO_PROFILE_DEV_DEBUG=0 cargo install --root $(TOOLS) cargo-fuzz --version $(CARGO_FUZZ) --locked --profile dev
	touch $@

$(TOOLS)/.sqlx-cli-$(SQLX_CLI): | tools-rust
	mkdir -p $(TOOLS)
	CARGO_TARGET_DIR=$(TOOLS)/target CARGO_PROFILE_DEV_DEBUG=0 cargo install --root $(TOOLS) sqlx-cli --version $(SQLX_CLI) --locked --profile dev --no-default-features --features sqlite
	touch $@

tools-node:
	@command -v npm >/dev/null || .ci/apt nodejs npm

$(TOOLS)/.binaryen-$(BINARYEN): | tools-node
	mkdir -p $(TOOLS)
	npm install --prefix $(TOOLS) --no-audit --no-fund --no-save binaryen@$(BINARYEN)
	touch $@

# A peer for tests only (AGPL): never linked, never shipped.
$(TOOLS)/.fakepve-$(FAKEPVE):
	.ci/apt python3 python3-venv
	mkdir -p $(TOOLS)
	python3 -m venv --clear $(TOOLS)/fakepve
	$(TOOLS)/fakepve/bin/pip install --quiet --disable-pip-version-check 'fakepve[crypto]==$(FAKEPVE)'
	touch $@

packages-host:
	.ci/apt lxc busybox-static crun skopeo umoci jq rsync iproute2 python3 util-linux procps xz-utils

packages-bench:
	.ci/apt strace

packages-browser:
	.ci/apt chromium fonts-dejavu-core

end2end/node_modules/.installed: end2end/package-lock.json | tools-node
	npm ci --prefix end2end --no-audit --no-fund
	touch $@
