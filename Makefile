# Everything that is done with this project, by name. `make` alone lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(UPGRADE)
ARGS ?=

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

.PHONY: install
install: $(VENV)/.installed ## Make .venv from the lock file, and in it the command .venv/bin/lodestone.

.PHONY: run
run: install ## Carry the worked example once round the loop, then stay as the service at http://127.0.0.1:8600.
	@exec $(BIN)/lodestone run $(ARGS)

.PHONY: stack
stack: $(VENV)/.tools kafka ## Start the whole topology in the background: PostgreSQL, Kafka, two services, two workers, a relay.
	@exec $(BIN)/python -m services.stack up $(ARGS)

.PHONY: stack-status
stack-status: install ## Say how each part of it is (ARGS=--json).
	@exec $(BIN)/python -m services.stack status $(ARGS)

.PHONY: stack-down
stack-down: install ## End it in order; data and logs stay (ARGS=--remove-data).
	@exec $(BIN)/python -m services.stack down $(ARGS)

.PHONY: test
test: $(VENV)/.tools browser kafka promtool ## Run every test on the real parts (ARGS="-k name" for some); with CI=true a skip is a failure.
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: check
check: $(VENV)/.tools ## Format, lint, types, import contracts and the house rules.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q tests/house

.PHONY: format
format: $(VENV)/.tools ## Let ruff format the code and mend what it can.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: $(VENV)/.tools kafka ## Measure ourselves against yardsticks; prints a table and writes build/bench.json.
	$(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: faults
faults: $(VENV)/.tools kafka ## Kill, cut off, fill and mislead every part of the stack under load; writes build/faults.json.
	$(BIN)/python -m tests.faults $(ARGS)

.PHONY: soak
soak: $(VENV)/.tools ## Grow a log to N events (N=1000000): cost per event and memory; writes build/soak.json and build/soak.svg.
	$(BIN)/python -m tests.soak $(or $(N),100000)

.PHONY: lock
lock: $(VENV)/.tools ## Write the lock files again (UPGRADE=--upgrade for newer versions).
	$(COMPILE) --build-deps-for editable --build-deps-for wheel -o requirements.lock pyproject.toml
	$(COMPILE) --build-deps-for editable --build-deps-for wheel --extra dev -c requirements.lock -o tests/requirements.lock pyproject.toml

.PHONY: browser
browser: $(VENV)/.tools
	@.ci/browser $(BIN)

.PHONY: kafka
kafka: $(VENV)/.tools
	@.ci/kafka $(BIN)

.PHONY: promtool
promtool: $(VENV)/.tools
	@.ci/promtool $(BIN)

.PHONY: compose
compose:
	@.ci/compose

.PHONY: clean
clean: ## Remove .venv and what the tools left behind; the data directory stays.
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements.lock pyproject.toml .ci/venv
	@.ci/venv $(PYTHON) $(VENV)
	@echo "Installing what requirements.lock names into $(VENV)." >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.tools: tests/requirements.lock $(VENV)/.installed
	@echo "Installing what the tests and checks need into $(VENV)." >&2
	@$(PIP) install --require-hashes -r tests/requirements.lock
	@touch $@
