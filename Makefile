# `make` sets up and runs the default benchmark; `make test` sets up and tests. Needs Python from 3.11 to 3.13 and make.
SHELL := bash
# What requirements.lock serves: a later Python has no TensorFlow of this version.
SERVED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# The first that answers; `make PYTHON=/path/to/python` names another.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	$$python -c '$(SERVED)' > /dev/null 2>&1 && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
SET_UP := $(VENV)/set-up
CORES ?= all
FUZZ ?= 10000
# `make test LONG=1` runs the tests marked `long`, too, by one start of pytest.
LONG ?=
PYTEST = $(BIN)/python -m pytest $(COVERAGE) -n 2 --dist loadfile --no-loadscope-reorder
# `make test COVERAGE='--cov --cov-report=term'` prints which lines the tests reach.
COVERAGE ?=
# `make test-faults SELECT='-k disk'` and `make test-mutants SELECT='--only kde'` run a part of them.
SELECT ?=

.PHONY: run docs test test-long test-benchmarks test-fuzz test-faults test-mutants test-cluster lint lock clean

run: $(SET_UP)
	$(BIN)/snakemake --cores $(CORES)
	@echo; cat results/tables/table3.md; echo; cat results/tables/table4.md
	@echo; echo "Read results/report.html: verdicts, claims, tables, figures and where they come from, in one file."

# A quarter of an hour on two cores: the parts, and the real workflow on small data with one real archive.
test: lint
	$(PYTEST) -m "not slow$(if $(LONG),, and not long)"

# What is left: the workflow end to end in all its uses, its faults, the other real archives. Half an hour on two cores.
test-long: $(SET_UP)
	$(PYTEST) -m long

# The documentation as a site, the API from the docstrings; a warning, such as of a broken link, is an error.
docs: $(SET_UP)
	$(BIN)/python -m sphinx -c docs -W --keep-going -q -b html . build/site
	@echo "Read build/site/docs/index.html"

# That the scripts in benchmarks/ still run, on tiny sizes.
test-benchmarks: $(SET_UP)
	$(BIN)/python -m pytest -m slow

# Every reader on many damaged files, each kind as often as FUZZ says; prints how many there were.
test-fuzz: $(SET_UP)
	OCNN_FUZZ=$(FUZZ) $(BIN)/python -m pytest -rP tests/fuzz

# What goes wrong in long runs, done on purpose, with what takes minutes.
test-faults: $(SET_UP)
	OCNN_FAULTS=1 $(BIN)/python -m pytest $(SELECT) tests/workflow/test_faults.py

# Small faults are put into the numerical modules, one at a time: do their tests notice? Prints those that live.
test-mutants: $(SET_UP)
	$(BIN)/python -m tests.mutants $(SELECT)

# A real SLURM cluster of this machine alone, started as root; skipped where its packages are not installed.
test-cluster: $(SET_UP)
	OCNN_CLUSTER=1 $(BIN)/python -m pytest $(SELECT) tests/cluster

lint: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# Exactly what the lock says, and bytecode compiled even where writing it at import is switched off.
$(SET_UP): requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "No Python from 3.11 to 3.13 was found. Install one (your system's packages, python.org, or"; \
		echo "\`uv python install 3.13\`), or name the one that you have: make PYTHON=/path/to/python3.12"; exit 1; } >&2
	@"$(PYTHON)" -c '$(SERVED)' 2> /dev/null || { echo "$(PYTHON) is no Python from 3.11 to 3.13, which the locked packages"; \
		echo "are for: make PYTHON=/path/to/python3.12"; exit 1; } >&2
	@echo "Setting up $(VENV) with $$("$(PYTHON)" --version): some $$(grep -c == requirements.lock) packages, 2 GB, minutes."
	"$(PYTHON)" -m venv $(VENV)
	@set -o pipefail; $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --compile --require-hashes \
		-r requirements.lock | awk '/^ERROR/ {print} /^Collecting/ && ++n % 20 == 0 {print "  " n " packages fetched"; fflush()} \
		/^Installing/ {print "  all fetched; unpacking and compiling them takes a minute or more"; fflush()}'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Renews the lock from pyproject.toml; for whoever changes dependencies. Needs uv. Extras are kept, since pip forgets the
# pin of `coverage` where `coverage[toml]` is asked for and a newer version is out.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --no-strip-extras --extra cpu --extra workflow --extra dev pyproject.toml \
		--output-file requirements.lock

clean:
	rm -rf $(VENV) .snakemake results
