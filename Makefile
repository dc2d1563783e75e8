# Two commands for a new machine: `make demo` and `make test`. Both make what they need first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PORT ?= 8765
TOUR ?= 0
WORKERS ?= 4

.PHONY: demo test bench compat changelog lint types lock clean

demo: $(VENV)/.installed
ifeq ($(TOUR),1)
	@$(RUN) -m bot demo --tour --data demo-data
else
	@$(RUN) -m bot demo --port $(PORT) --data demo-data
endif

test: $(VENV)/.installed-dev lint types
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
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Signalbox needs Python 3.11 or newer; say make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Both lock files anew from pyproject.toml, with hashes and without addresses.
lock: $(VENV)/.installed-dev
	$(RUN) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate -o requirements.lock pyproject.toml
	$(RUN) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --extra dev -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) demo-data .pytest_cache .mypy_cache .ruff_cache .hypothesis
