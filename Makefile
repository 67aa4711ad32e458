.DEFAULT_GOAL := help
.PHONY: help setup up test torture bench soak fuzz check docs lock clean

PYTHON ?= python3
# One that is named has an environment of its own inside, so that the same tests run on several: make test PYTHON=python3.13
VENV := .venv$(if $(filter command,$(origin PYTHON)),/$(subst /,-,$(PYTHON)))
BIN := $(VENV)/bin
# Newer than both lists only when all of them is installed.
INSTALLED := $(VENV)/installed
MINUTES ?= 10

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(INSTALLED) ## Install everything into .venv, from hash-locked lists
	@$(BIN)/profuse install

up: setup ## Run the whole pipeline here and watch two requests go through it
	@$(BIN)/profuse demo

test: setup ## Run all tests on a real Kafka and a real Postgres
	@$(BIN)/pytest $(TESTS)

torture: setup ## Break a stack under load for MINUTES=10, and count what was lost
	@$(BIN)/profuse torture --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: setup ## Measure the pipeline beside a bare INSERT of the same profiles
	@$(BIN)/python -m bench

soak: setup ## Load a stack with 70 % of its rate for MINUTES=10, then take Postgres away, and show memory, lag and sizes
	@$(BIN)/python -m bench.soak --minutes $(MINUTES)

FUZZ := $(VENV)/fuzz
SECONDS ?= 60

fuzz: $(FUZZ)/installed ## Send what nobody would send for SECONDS=60 each, to the parsers and to a running stack
	@mkdir -p $(FUZZ)/corpus
	@$(FUZZ)/bin/python -m fuzz.bodies -max_total_time=$(SECONDS) -max_len=2048 -verbosity=0 -print_final_stats=1 \
		-dict=fuzz/json.dict -artifact_prefix=$(FUZZ)/found- $(FUZZ)/corpus fuzz/corpus
	@$(FUZZ)/bin/python -m fuzz.api $(SECONDS)

check: $(INSTALLED) ## Check style, types and architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED) ## Write the generated pages anew
	@$(BIN)/python docs/generate.py
	@$(BIN)/profuse settings --env > .env.example

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --upgrade

lock: $(INSTALLED) ## Resolve all dependencies anew
	$(COMPILE) pyproject.toml --extra local --extra files --group dev --output-file requirements.lock
	$(COMPILE) pyproject.toml --output-file requirements-runtime.lock --constraints requirements.lock
	$(COMPILE) pyproject.toml --extra local --group fuzz --output-file requirements-fuzz.lock --constraints requirements.lock
	$(COMPILE) --group build --output-file requirements-build.lock --constraints requirements.lock
	$(BIN)/python -c 'from profuse.stack import jars; jars.lock()'

clean: ## Stop the stack and delete it, .venv and every cache
	@if test -x $(BIN)/profuse; then $(BIN)/profuse down --wipe; fi
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "$(PYTHON) must be Python 3.11 or newer with its venv module: install it (Debian: apt install python3-venv), or run make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(FUZZ)/installed: requirements-fuzz.lock $(INSTALLED)
	@$(PYTHON) -m venv $(FUZZ)
	@$(FUZZ)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement requirements-fuzz.lock
	@touch $@
