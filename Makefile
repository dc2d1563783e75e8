# Two commands for a new machine: `make demo` and `make test`. Both make what they need first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-warn-script-location --require-hashes
PORT ?= 8765
TOUR ?= 0
FRESH ?= 0
REPLICAS ?= 1
WORKERS ?= 6

# The tests start many processes; without their compiled modules each of them compiles all of the program again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test bench compat changelog lint types lock clean

# `make demo FRESH=1` forgets what earlier demos did, `make demo TOUR=1` plays the main job and ends,
# `make demo REPLICAS=3` runs three replicas on a PostgreSQL of the demo.
# Several replicas need the packages for PostgreSQL.
demo: $(VENV)/.installed $(if $(filter-out 1,$(REPLICAS)),$(VENV)/.postgres)
	@$(RUN) -m bot demo $(if $(filter 1,$(TOUR)),--tour,--port $(PORT) --data demo-data $(if $(filter 1,$(FRESH)),--fresh) --replicas $(REPLICAS))

test: $(VENV)/.installed-dev $(VENV)/.browser $(VENV)/.postgres lint types
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile

bench: $(VENV)/.installed-dev
	$(RUN) -m tests.bench $(ARGS)

# Bolt for JavaScript and the types of @slack/types, where Node is installed.
compat: $(VENV)/.installed-dev
	$(RUN) -m tests.compat

# The fragments of docs/changelog.d become the section of the version in pyproject.toml.
changelog: | $(VENV)/bin/python
	$(RUN) -m docs.changelog

lint: $(VENV)/.installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(VENV)/.installed-dev
	$(RUN) -m mypy

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Signalbox needs Python 3.11 or newer; run make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	@echo "First start: installing $$(grep -c '==' requirements.lock) packages, about a minute."
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing $$(grep -c '==' requirements-dev.lock) packages for the tests."
	@$(PIP) -r requirements-dev.lock
	@touch $@

# A Chromium or Chrome for the page tests: an installed one, Playwright's download, or the system's package.
$(VENV)/.browser: $(VENV)/.installed-dev
	@$(RUN) tests/playground/browser.py $@

# PostgreSQL for the tests of the store: an installed one, or the system's package.
$(VENV)/.postgres: $(VENV)/.installed-dev
	@$(RUN) -m tests.postgres $@

# Write both lock files from pyproject.toml, with hashes and without addresses.
lock: $(VENV)/.installed-dev
	$(RUN) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate -o requirements.lock pyproject.toml
	$(RUN) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --extra dev -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) demo-data .pytest_cache .mypy_cache .ruff_cache .hypothesis
