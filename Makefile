# One verb per habit. `make test` and `make demo` do their own set-up on a fresh machine.
PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.ready
JOBS   ?= 2

.PHONY: setup servers lint type contracts test test-dists oracles conformance-api faults fuzz mutate bench demo crds docs lock clean

setup: $(STAMP)

$(STAMP): requirements.txt tests/oracles/requirements.txt members.txt $(addsuffix /pyproject.toml,$(shell cat members.txt))
	@$(PYTHON) tools/setup.py
	@touch $@

# What some tests talk to, in an environment of its own; they skip without.
servers: $(STAMP)
	$(PYTHON) -m venv --clear .venv/servers
	.venv/servers/bin/python -m pip --disable-pip-version-check install -q --require-hashes -r tests/servers/requirements.txt

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/lint_house.py
	$(BIN)/python tools/reference.py

type: $(STAMP)
	$(BIN)/mypy $(addsuffix /src,$(shell cat members.txt))

contracts: $(STAMP)
	$(BIN)/lint-imports

# Hundreds of processes start: compiled once, wherever the environment says otherwise.
test test-dists oracles faults fuzz bench: export PYTHONDONTWRITEBYTECODE :=

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q

test-dists: $(STAMP)
	$(BIN)/python tools/test_dists.py

# Asks the real programs about every recorded case; `make test` asks about one in ten.
oracles: $(STAMP)
	FLUVIAL_ORACLES=all $(BIN)/python -m pytest -n $(JOBS) -q -m oracle tests/conformance

# CASES=<folder> replays other cases; KUBEBUILDER_ASSETS=<folder> asks a real kube-apiserver.
conformance-api: $(STAMP)
	@$(BIN)/python -m tests.conformance.api $(CASES)

faults: $(STAMP)
	FLUVIAL_FAULTS=all $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q tests/faults \
		tests/e2e/demo tests/e2e/kustomize/test_kill.py

# Ten times the examples of `make test`, and new ones each time. MINUTES=10 goes on for so long with
# the kustomize engine's parser, patches, replacements and substitution; FUZZED names other tests.
FUZZED ?= toolkit/render/tests/kustomize/test_fuzz.py
fuzz: $(STAMP)
ifdef MINUTES
	$(BIN)/python tools/fuzz.py $(MINUTES) $(FUZZED)
else
	FLUVIAL_EXAMPLES=fuzz $(BIN)/python -m pytest -n $(JOBS) -q -m fuzz
endif

# Breaks the code in known places, one at a time: the tests must notice.
mutate: $(STAMP)
	$(BIN)/python tools/mutate.py

bench: $(STAMP)
	@for script in tests/bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# KEEP=1 keeps it running; METRICS=prometheus asks a real Prometheus.
demo: $(STAMP)
	@KEEP="$(KEEP)" METRICS="$(METRICS)" $(BIN)/fluvial demo

crds: $(STAMP)
	$(BIN)/python -m fluvial.apis.crds deploy/crds
	$(BIN)/python -m fluvial.apis.tables docs/spec

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

lock:
	tools/lock.sh

clean:
	rm -rf .venv .envs
