# `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?=
BIN := .venv/bin
# Made when setup has succeeded; what is older than its inputs is set up again.
STAMP := .venv/.setup-done

.PHONY: help setup demo test bench lint check bridge-zip clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | while IFS= read -r line; do printf '  make %-10s %s\n' "$${line%%:*}" "$${line##*## }"; done

setup: $(STAMP) ## the virtual environment and the system packages (does nothing the second time)

$(STAMP): pyproject.toml scripts/setup
	@PYTHON='$(PYTHON)' scripts/setup
	@touch $@

demo: setup ## a shop full of oddities in a private database, imported before your eyes
	@$(BIN)/sidecar demo

test: setup ## all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile

bench: setup ## measure speed and memory (slow)
	@$(BIN)/python tests/bench/run.py
	@$(BIN)/python tests/bench/service.py
	@$(BIN)/python tests/bench/latency.py
	@$(BIN)/python tests/bench/segments.py
	@$(BIN)/python tests/bench/automations.py
	@$(BIN)/python tests/bench/sending.py

lint: setup ## style, types, layers, PHP syntax
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@if command -v php >/dev/null; then find wp-bridge -name '*.php' -print0 | xargs -0 -r -n1 php -l >/dev/null && echo 'PHP syntax: ok'; \
	else echo 'PHP syntax: not checked, there is no php'; fi

check: lint test ## what CI runs: lint and test

bridge-zip: ## the WordPress plugin as build/fluentcrm-sidecar.zip
	@$(or $(PYTHON),python3) scripts/bridge-zip

clean: ## remove what setup, tests and tools made
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis bench-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
