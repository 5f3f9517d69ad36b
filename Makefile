# `make test` runs all tests against real parts. To judge an environment use ./genesis report: make turns every failure into exit 2.
.DEFAULT_GOAL := help
SHELL := /bin/sh
dev = GENESIS_EXTRA=dev ./genesis --version >/dev/null
bin = .venv/bin

.PHONY: help setup test lint notebooks lock clean

help: ## show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## make .venv with all that tests need
	@$(dev)

test: setup lint ## lint, then all tests
	$(bin)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/test_genesis.py tests  # the longest first

lint: setup ## ruff, mypy, import-linter
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

notebooks: setup ## strip outputs, execution counts and volatile metadata from the notebooks
	$(bin)/python -m tests.notebooks.strip

lock: setup ## renew both locks from pyproject.toml; they hold names, versions and hashes, no addresses
	$(bin)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	$(bin)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove what can be made again
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
