# Checkers that are not part of `make test`: they take long, or tools that not everyone has. Each installs what it needs, Debian's
# packages where it may, or says what is missing. They run on stable Rust: RUSTC_BOOTSTRAP lets it take the flags that they need.

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
# Those of this processor, the fastest first; the last two are everywhere.
BACKENDS ?= $(shell grep -qw avx512_vbmi2 /proc/cpuinfo && echo avx512) $(shell grep -qw avx2 /proc/cpuinfo && echo avx2) portable plain
SECONDS ?= 60
FUZZ_TARGETS := decode round_trip framing schema_text descriptor_set varints
TARGETS ?= $(FUZZ_TARGETS)
# Test binaries that meet every kernel, and take minutes where each instruction is looked at.
QUICK_TESTS := --lib --test guard_pages --test alike --test cases
SHARD ?= 0/20

# $(call debian,COMMAND,PACKAGES): installs packages unless the command is there.
debian = command -v $(1) >/dev/null || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends $(2); } \
	|| { echo "$(1) is missing: apt-get install $(2)" >&2; exit 1; }
# $(call crate,NAME): installs a cargo command unless it is there.
crate = command -v $(1) >/dev/null || cargo install --locked $(1) || { echo "$(1) is missing: cargo install --locked $(1)" >&2; exit 1; }
# $(call binaries,CARGO OPTIONS): builds the engine's test binaries and prints their paths.
binaries = cargo test --locked --package wirearray --features reference --no-run --message-format json $(1) | \
	sed -n 's/.*"executable":"\([^"]*\)".*/\1/p'

.PHONY: fuzz fuzz-seeds asan valgrind qemu aarch64 mutants coverage

# Half as many again at a time as there are cores, so that CI takes no longer. What one finds stands at the end of its log.
fuzz: fuzz-seeds ## Fuzz each target for a while: SECONDS=60, TARGETS="decode framing".
	@$(call crate,cargo-fuzz)
	cd fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz build --fuzz-dir .
	@mkdir -p build/fuzz
	@cd fuzz && printf '%s\n' $(TARGETS) | RUSTC_BOOTSTRAP=1 xargs -P $$(($$(nproc) * 3 / 2)) -I{} sh -c 'echo "{} for $(SECONDS) seconds"; \
		cargo fuzz run --fuzz-dir . {} -- -max_total_time=$(SECONDS) -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 \
			>../build/fuzz/{}.log 2>&1 || { tail -n 60 ../build/fuzz/{}.log; exit 255; }; \
		grep -h "number_of_executed_units" ../build/fuzz/{}.log'

fuzz-seeds: ## Write the cases down as what fuzzing begins with.
	cargo run --quiet --manifest-path fuzz/Cargo.toml --target-dir target --example seeds fuzz/corpus

# But for what runs on small stacks, on which the frames of an instrumented build have no room.
asan: ## The engine's tests under AddressSanitizer, with each backend: BACKENDS="avx2 plain".
	@set -e; for backend in $(BACKENDS); do echo "with WIREARRAY_BACKEND=$$backend"; \
		WIREARRAY_BACKEND=$$backend RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address PROPTEST_CASES=100 \
			cargo test --locked --package wirearray --features reference --quiet $(KERNEL_TESTS) --target $(HOST) --target-dir target/asan; \
	done

# By default memcheck passes over reads behind the end that share a word with what is there. It knows no AVX-512, and takes what stands
# on a second stack for what is no memory.
valgrind: ## The engine's quicker tests under memcheck.
	@$(call debian,valgrind,valgrind)
	@set -e; for test in $$($(call binaries,$(QUICK_TESTS))); do echo "$$test"; \
		WIREARRAY_BACKEND=avx2 valgrind --quiet --partial-loads-ok=no --error-exitcode=9 $$test --quiet --test-threads 1 \
			--skip calls_go_deeper_than_their_stack $(FILTER); \
	done

qemu: ## The engine's quicker tests on processors without AVX-512, and without AVX2.
	@$(call debian,qemu-x86_64,qemu-user)
	@set -e; for test in $$($(call binaries,$(QUICK_TESTS))); do for processor in Nehalem Haswell; do \
		echo "$$processor: $$test"; qemu-x86_64 -cpu $$processor $$test --quiet $(FILTER); done; \
	done

AARCH64 := aarch64-unknown-linux-gnu
# Where the dynamic loader and the C library stand: two of them must not be mixed.
AARCH64_ROOT := $(if $(wildcard /lib/ld-linux-aarch64.so.1),/,/usr/aarch64-linux-gnu)
# Debian has a compiler with a library for other processors too, which RUSTC=/usr/bin/rustc asks for.
aarch64: ## The engine's quicker tests on an emulated 64-bit ARM processor.
	@"$${RUSTC:-rustc}" --print target-libdir --target $(AARCH64) | xargs -I{} test -d {} || \
		{ echo "the standard library for $(AARCH64) is missing: rustup target add $(AARCH64), or, where that cannot be had," \
			"dpkg --add-architecture arm64; apt-get install rustc-web libstd-rust-web-dev:arm64; make aarch64 RUSTC=/usr/bin/rustc" >&2; exit 1; }
	@$(call debian,qemu-aarch64,qemu-user)
	@$(call debian,aarch64-linux-gnu-gcc,gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L $(AARCH64_ROOT)" \
		cargo test --locked --package wirearray --features reference --quiet --target $(AARCH64) --target-dir target/aarch64 $(QUICK_TESTS) -- $(FILTER)

# A survivor is a change that no test notices. All of them take many hours: a twentieth at a time.
mutants: ## Change the decoder in small ways, and see that tests fail: SHARD=0/20.
	@$(call crate,cargo-mutants)
	cargo mutants --package wirearray --features reference --shard $(SHARD) --output build/mutants --gitignore true --timeout 300 \
		$(foreach room,wire varint decode framing,--file 'crates/wirearray/src/$(room).rs' --file 'crates/wirearray/src/$(room)/**/*.rs') \
		-- --lib --tests

# The tools have to read what the compiler writes: the newest of these that is there. Python tests count, since much of the engine
# is there for them; the package is built once more afterwards, without counters.
coverage: $(READY) ## Which lines of the engine no test reaches, file by file.
	@$(call crate,cargo-llvm-cov)
	@ls -d /usr/lib/llvm-2? >/dev/null 2>&1 || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends llvm-22; } \
		|| { echo "llvm-cov is missing: apt-get install llvm-22" >&2; exit 1; }
	@llvm=$$(ls -d /usr/lib/llvm-2? | tail -1)/bin; export LLVM_COV=$$llvm/llvm-cov LLVM_PROFDATA=$$llvm/llvm-profdata; \
		export CARGO_TARGET_DIR=$(CURDIR)/target/coverage; eval "$$(cargo llvm-cov show-env --sh)"; cargo llvm-cov clean --workspace; \
		set -e; for backend in $(BACKENDS); do \
			WIREARRAY_BACKEND=$$backend cargo test --locked --package wirearray --features reference --quiet --lib --tests; done; \
		(cd python && ../$(BIN)/maturin develop --locked --quiet --features reference); $(PYTEST) python/tests; \
		cargo llvm-cov report --ignore-filename-regex '_?tests?\.rs$$|/tests/|/examples/|/python/'
	@$(MAKE) develop
