# Two commands for a new machine: `make demo` and `make test`. Both make what they need first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Quiet about everything but errors; a module is compiled when it is first imported, for most never are.
PIP := $(RUN) -m pip install -qq --no-compile --disable-pip-version-check --root-user-action=ignore --no-warn-script-location --require-hashes
PORT ?= 8765
TOUR ?= 0
FRESH ?= 0
REPLICAS ?= 1
WORKERS ?= 5

# The tests start many processes; without their compiled modules each of them compiles all of the program again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test bench compat changelog lint style types lock clean

# `make demo FRESH=1` forgets what earlier demos did, `make demo TOUR=1` plays the main job and ends,
# `make demo REPLICAS=3` runs three replicas on a PostgreSQL of the demo.
# Several replicas need the packages for PostgreSQL.
demo: $(VENV)/.installed $(if $(filter-out 1,$(REPLICAS)),$(VENV)/.postgres)
	@$(RUN) -m bot demo $(if $(filter 1,$(TOUR)),--tour,--port $(PORT) --data demo-data $(if $(filter 1,$(FRESH)),--fresh) --replicas $(REPLICAS))

# What the tests need and the checks that aren't tests go side by side.
test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory --jobs=2 $(VENV)/.browser $(VENV)/.postgres $(VENV)/.sqlite3 $(VENV)/.curl style types $(VENV)/.compiled
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile

bench: $(VENV)/.installed-dev
	$(RUN) -m tests.bench $(ARGS)

# Bolt for JavaScript and the types of @slack/types, where Node is installed.
compat: $(VENV)/.installed-dev
	$(RUN) -m tests.compat

# The fragments of docs/changelog.d become the section of the version in pyproject.toml.
changelog: | $(VENV)/bin/python
	$(RUN) -m docs.changelog

lint: style types

style: $(VENV)/.installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(VENV)/.installed-dev
	$(RUN) -m mypy

$(VENV)/bin/python:
	@echo "Making a virtual environment in $(VENV)."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Signalbox needs Python 3.11 or newer; run make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	@echo "Installing $$(grep -c '==' requirements.lock) packages, about half a minute."
	@$(PIP) -r requirements.lock
	@touch $@

# With those for the tests, which are all of the others and more.
$(VENV)/.installed-dev: requirements-dev.lock requirements.lock | $(VENV)/bin/python
	@echo "Installing $$(grep -c '==' requirements-dev.lock) packages, about a minute."
	@$(PIP) -r requirements-dev.lock
	@touch $(VENV)/.installed $@

# A Chromium or Chrome for the page tests: an installed one, Playwright's download, or the system's package.
$(VENV)/.browser: $(VENV)/.installed-dev
	@$(RUN) -m tests.playground.browser $@

# PostgreSQL for the tests of the store: an installed one, or the system's package.
$(VENV)/.postgres: $(VENV)/.installed-dev
	@$(RUN) -m tests.postgres $@

# The commands of the docs use SQLite's own program and curl: installed ones, or the system's packages.
$(VENV)/.sqlite3 $(VENV)/.curl: $(VENV)/.installed-dev
	@$(RUN) -m tests.system_package $(@F:.%=%) $@

# The tests once, before several workers compile the same modules at the same time.
$(VENV)/.compiled: $(VENV)/.installed-dev
	@$(RUN) -m pytest --collect-only -qq > $@ || { cat $@; rm $@; exit 1; }

# Write both lock files from pyproject.toml, with hashes and without addresses.
lock: $(VENV)/.installed-dev
	$(RUN) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate -o requirements.lock pyproject.toml
	$(RUN) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --extra dev -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) demo-data .pytest_cache .mypy_cache .ruff_cache .hypothesis
