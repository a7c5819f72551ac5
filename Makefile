# Everything that is done with this repository. `make demo` and `make test` set up what they need by themselves.

PYTHON ?= python3
SIZE ?= full
CASES ?= 1000000
# What the demo and the benchmark are run with: `develop` is built sooner, where results count and times do not.
BUILD ?= release
VENV := .venv
BIN := $(VENV)/bin
# Later than all that the environment was made from.
READY := $(VENV)/.ready

.PHONY: help demo test bench differential develop release format lint rust-test safe python-test backend-test typing deny clean
.DEFAULT_GOAL := help

help: ## List the targets.
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(BUILD) ## The founding experiment, live: SIZE=small takes seconds.
	$(BIN)/python bench/demo.py --size $(SIZE)

test: lint rust-test safe python-test backend-test typing ## Everything that has to hold.

bench: $(BUILD) ## Compare with targets, other libraries and plain copies: SIZE=small takes a minute.
	$(BIN)/python bench/compare.py --size $(SIZE)

develop: $(READY) ## Install the package for work on it, with the reference decoder and all checks.
	cd python && ../$(BIN)/maturin develop --locked --quiet --features reference

release: $(READY) ## Install the package as users get it.
	cd python && ../$(BIN)/maturin develop --locked --quiet --release

format: $(READY) ## Format all code.
	cargo fmt --all
	$(BIN)/ruff format python bench
	$(BIN)/ruff check --fix python bench

lint: $(READY)
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --features reference --quiet -- -D warnings
	cargo clippy --locked --workspace --all-targets --features reference,safe --quiet -- -D warnings
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	$(BIN)/ruff format --check python bench
	$(BIN)/ruff check python bench

rust-test:
	cargo test --locked --package wirearray --features reference --quiet

# The engine's tests that meet kernels and the memory of columns; others are the same whatever there is of those.
KERNEL_TESTS := --lib $(patsubst %,--test %,alike budget cases forgotten guard_pages property round_trip streams)

# Results are compared to the bit with those of the other build.
safe: ## The engine's tests in a build without unsafe, whose results are the same.
	cargo test --locked --package wirearray --features reference,safe --quiet $(KERNEL_TESTS)
	@mkdir -p build
	cargo run --locked --package wirearray --features reference --quiet --example digest > build/digest
	cargo run --locked --package wirearray --features reference,safe --quiet --example digest > build/safe-digest
	cmp build/digest build/safe-digest

# By as many processes as there are cores, each of which takes the next test from those that have many left.
PYTEST := $(BIN)/python -m pytest --quiet --no-header -rs --numprocesses auto --dist worksteal
python-test: develop
	$(PYTEST) python/tests

# All that decodes or encodes once more with each of the processor's other backends; what shows, plots, pickles or hands on what was
# decoded meets no kernel, streams, limits and threads meet them as all else does, and the reference decoder has none.
BACKEND_FREE := arrow bench differential docstrings html late limits mcap memory names partitions pickle plot readme registry repr \
	resume save scan sources trust turns unread wheel write
backend-test: develop
	@set -e; for backend in $$($(BIN)/python -c 'from wirearray import _core; print(*_core._backends()[1:])'); do \
		echo "with WIREARRAY_BACKEND=$$backend"; \
		WIREARRAY_BACKEND=$$backend cargo test --locked --package wirearray --features reference --quiet $(KERNEL_TESTS); \
		WIREARRAY_BACKEND=$$backend $(PYTEST) -p no:cacheprovider -k 'not reference_decoder' python/tests \
			$(BACKEND_FREE:%=--ignore-glob='*/test_%*'); \
	done

differential: develop ## Compare with the official package on random messages, legal and damaged: CASES=1000000.
	PYTHONPATH=python/tests $(BIN)/python -m differential --cases $(CASES)

typing: develop
	cd python && ../$(BIN)/mypy wirearray
	cd python && ../$(BIN)/python -m mypy.stubtest wirearray --mypy-config-file pyproject.toml --allowlist stubtest.txt

deny: ## Hold the Rust crates to deny.toml: licences, versions, sources.
	@cargo deny --version >/dev/null 2>&1 || { echo "cargo-deny is not installed: cargo install cargo-deny --locked"; exit 1; }
	cargo deny --locked check bans licenses sources

$(READY): python/requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wirearray needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

include checkers.mk

clean: ## Remove what was built.
	cargo clean
	rm -rf $(VENV) build
