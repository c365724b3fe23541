# Two commands: `make demo` and `make test`. Each sets up what it needs, on a machine that has Rust, Python >= 3.10 and make.
# Longer ones: `make wheel`, `make corpus`, `make collector`, `make fuzz`, `make soak`, `make bench`, `make bench-ledger`, `make bench-spans`, `make bench-patches`, `make drift`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUST := Cargo.toml Cargo.lock $(shell find native exporters pricing -name '*.rs' -o -name Cargo.toml -o -name prices.bin)

.PHONY: collector demo test contract drift bench parity bench-ledger bench-spans bench-patches wheel corpus fuzz soak portable build quick rust-test python-test lint types clean

demo: build
	$(BIN)/python -m edgequake_obs.demo

test: lint types rust-test python-test

# The environment: made anew when the pins change.
$(VENV)/.ready: requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	touch $@

# The extension, in release mode, into the environment.
$(VENV)/.built: $(VENV)/.ready pyproject.toml $(RUST)
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --release --locked --quiet
	touch $@

build: $(VENV)/.built

# While working on it: compiles only what changed, in seconds, at a price in speed; `build` makes the real one again.
quick: $(VENV)/.ready
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --locked --quiet
	rm -f $(VENV)/.built

rust-test: $(VENV)/.ready
	PYO3_PYTHON=$(abspath $(BIN))/python CARGO_INCREMENTAL=0 cargo test --workspace --lib --bins --tests --locked

python-test: build
	$(BIN)/python -m pytest tests -n 2 --dist loadfile
	$(BIN)/python tests/contract/versions.py openai-1 openai-2 litellm-new litellm-old anthropic

# The same with every version there is an environment for.
contract: build
	$(BIN)/python tests/contract/versions.py

# The same with what is published today: whether it still does what we rely on. No part of anybody's verdict.
drift: build
	$(BIN)/python tests/contract/versions.py newest

lint: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	cargo fmt --all --check
	PYO3_PYTHON=$(abspath $(BIN))/python cargo clippy --workspace --all-targets --locked -- -D warnings

types: build
	$(BIN)/pyright

# litellm's recorded cases: what does not match, by provider; takes what matches now out of the list of expected misses.
parity: build
	$(BIN)/python -m tests.parity --update

# The wheel and the source distribution into dist/; the wheel tried alone in an empty environment on every Python found,
# and a wheel built from the unpacked source distribution as well.
wheel: $(VENV)/.ready
	rm -rf dist
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin build --release --locked --sdist --out dist
	$(BIN)/python tests/wheel/run.py dist/*.whl
	$(BIN)/python tests/wheel/sdist.py dist/*.tar.gz

# Compiles for systems on which nothing is run: whether the cfgs are complete.
portable:
	$(BIN)/python tests/wheel/portable.py

# Every fault in every recorded exchange, through both clients.
corpus: build
	$(BIN)/python -m pytest tests/provider -m whole_corpus -n 2

# The official OpenTelemetry Collector as a receiver: built once for all clones, which needs Go (1.26 or later), the network
# and three minutes. Where it is built, `make test` uses it too.
COLLECTOR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/edgequake-obs/collector/$(shell sha256sum tests/otel/collector/go.sum | cut -c1-16)/otelcol
collector: build $(COLLECTOR)
	$(BIN)/python -m pytest tests/otel/test_collector.py -s

$(COLLECTOR): tests/otel/collector/main.go
	cd tests/otel/collector && nice go build -trimpath -ldflags="-s -w" -o $@ .

# With other choices each time, until FOR seconds are over or something is found.
FOR ?= 300
fuzz: build
	$(BIN)/python -m tests.fuzz --seconds $(FOR)

# A minute of eight writers, a folder and three readers, counted at the end.
soak: build
	$(BIN)/python -m pytest tests -m long -s

# Folding, sums over ten million calls, memory of a call in flight, an hour of calls.
bench-ledger: build
	$(BIN)/python -m benchmarks.ledger

# Against the peers, in one run; writes benchmarks/results.md.
bench: build .cache/venvs/peers/.ready
	$(BIN)/python -m benchmarks --peers .cache/venvs/peers/bin/python

# What spans and metrics cost the caller, beside other instrumentors; writes benchmarks/spans/results.md.
bench-spans: build .cache/venvs/peers/.ready
	$(BIN)/python -m benchmarks.spans --peers .cache/venvs/peers/bin/python

# What the patches add inside the SDKs, beside other instrumentors; writes benchmarks/patches/results.md.
bench-patches: build .cache/venvs/peers/.ready
	$(BIN)/python -m benchmarks.patches --peers .cache/venvs/peers/bin/python

.cache/venvs/peers/.ready: benchmarks/peers.txt
	$(PYTHON) -m venv .cache/venvs/peers
	.cache/venvs/peers/bin/pip install --quiet --disable-pip-version-check --requirement benchmarks/peers.txt
	.cache/venvs/peers/bin/pip install --quiet --disable-pip-version-check --no-deps litellm==1.109.1
	touch $@

clean:
	rm -rf $(VENV) target .cache edgequake_obs/*.so
