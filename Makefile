# `make` sets up and runs the default benchmark; `make test` sets up and tests. Needs Python 3.11 and make only.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
SET_UP := $(VENV)/set-up
CORES ?= all
FUZZ ?= 10000
# `make test COVERAGE='--cov --cov-report=term'` prints which lines the tests reach.
COVERAGE ?=
# `make test-faults SELECT='-k disk'` and `make test-mutants SELECT='--only kde'` run a part of them.
SELECT ?=

.PHONY: run test test-benchmarks test-fuzz test-faults test-mutants test-cluster lint lock clean

run: $(SET_UP)
	$(BIN)/snakemake --cores $(CORES)
	@echo; cat results/tables/table3.md; echo; cat results/tables/table4.md
	@echo; echo "Read results/report.html: verdicts, claims, tables, figures and where they come from, in one file."

test: lint
	$(BIN)/python -m pytest $(COVERAGE) -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

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
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --require-hashes -r requirements.lock
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
