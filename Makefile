# What people type. Everything is installed into .venv from hashed lock files.
.DELETE_ON_ERROR:
.PHONY: demo test bench picture check lock clean

PORT ?= 8000
DATA ?= instance
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

demo: .venv/runs
	@PORT="$(PORT)" DATA="$(DATA)" $(BIN)/portal demo

test: .venv/develops
	$(BIN)/python -c 'from tests.programs import chromium; print("Browser:", chromium())'
	$(BIN)/python -m pytest -n 2 --dist loadgroup

bench: .venv/develops  # BENCH=--quick, --sqlite, "--only NAME", "--profile NAME", "--compare OLD NEW"; see BENCH=--help
	$(BIN)/python -W ignore -m benchmarks $(BENCH)

picture: .venv/develops  # the one in README
	SCREENSHOTS=test-results $(BIN)/python -m pytest -q tests/e2e/test_looks.py -k "owners and 1280"
	cp test-results/room-1280-light.png tests/e2e/room.png

check: .venv/develops
	$(BIN)/ruff check portal tests migrations benchmarks
	$(BIN)/ruff format --check portal tests migrations benchmarks
	$(BIN)/mypy
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/lint-imports
	$(BIN)/deptry .

.venv/made:
	@test -n "$(PYTHON)" || { echo "Foyer needs Python 3.11, 3.12 or 3.13 with venv (Debian: python3-venv)."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runs: requirements.lock pyproject.toml .venv/made
	$(PIP) install --no-deps --require-hashes --only-binary :all: -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/develops: requirements-dev.lock pyproject.toml .venv/made
	$(PIP) install --no-deps --require-hashes --only-binary :all: -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ .venv/runs

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv instance .ruff_cache .mypy_cache .import_linter_cache *.egg-info
