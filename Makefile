# make check: set up .venv and run the main job.  make test: set up and run the tests.

PYTHON ?= python3
BIN := .venv/bin

# Without a terminal, pip says nothing unless something is wrong; on one, it shows how far it is.
PIP_INSTALL = if [ -t 1 ]; then quiet=; else quiet=--quiet; fi; \
	$(BIN)/python -m pip install $$quiet --disable-pip-version-check --editable

.PHONY: check test test-slow test-deep lint types docs site benchmarks clean

check: .venv/.installed
	$(BIN)/attestation check

test: .venv/.installed-test
	$(BIN)/python -m pytest

# What make test leaves out, and Hypothesis with more runs.
test-slow: .venv/.installed-test
	$(BIN)/python -m pytest --hypothesis-profile=ci -m slow

# Everything, on systems that no run had before: about 27 minutes on two cores.
test-deep: .venv/.installed-test
	$(BIN)/python -m pytest --hypothesis-profile=deep

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-test
	$(BIN)/mypy

# Write the generated parts of docs/ anew; a test fails where they are out of date.
docs: .venv/.installed-test
	$(BIN)/python -m docs.generator

# The documentation as a site in build/site, which can be opened from the disk.
site: .venv/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

benchmarks: .venv/.installed-test
	$(BIN)/python -m properties.benchmarks

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.11" >&2; exit 2; }
	@echo "making .venv"
	@$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml
	@echo "installing numpy, scipy, networkx, z3 and Hypothesis into .venv (some 100 MB, once)"
	@$(PIP_INSTALL) .
	@touch $@

.venv/.installed-test: .venv/bin/python pyproject.toml
	@echo "installing what runs and tests the model into .venv (some 200 MB, once)"
	@$(PIP_INSTALL) '.[test]'
	@touch $@ .venv/.installed

clean:
	rm -rf .venv build *.egg-info
