# make check: set up .venv and run the main job.  make test: set up and run the tests.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: check test test-slow test-deep lint types docs benchmarks clean

check: .venv/.installed
	$(BIN)/attestation check

test: .venv/.installed-test
	$(BIN)/python -m pytest -n auto

# What make test leaves out, and Hypothesis with more runs.
test-slow: .venv/.installed-test
	$(BIN)/python -m pytest -n auto --hypothesis-profile=ci -m slow

# Everything, on systems that no run had before: about 20 minutes on two cores.
test-deep: .venv/.installed-test
	$(BIN)/python -m pytest -n auto --hypothesis-profile=deep

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-test
	$(BIN)/mypy

# Write the generated parts of docs/ anew; a test fails where they are out of date.
docs: .venv/.installed-test
	$(BIN)/python -m properties.documentation

benchmarks: .venv/.installed-test
	$(BIN)/python -m properties.benchmarks

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.11" >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-test: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ .venv/.installed

clean:
	rm -rf .venv build *.egg-info
