# The commands of this project. `make` alone lists them.

PYTHON ?= python3
BIN := .venv/bin
# Recipes use the python, dvc and tools of the environment, so it need not be activated.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24

.PHONY: repro
repro: .venv/run ## Set up the environment and run the stages that are not up to date
	@python ci/dvc_files.py
	@started=$$(mktemp); trap 'rm -f "$$started"' EXIT; echo dvc repro; python -m dvc repro && \
		{ test reports/provenance.json -nt "$$started" || python -m textclf.cli metrics; } # else the stage report has printed them

.PHONY: metrics
metrics: .venv/run ## Print the outcome of the last run: models, intervals, the model that textclf predict takes
	@python -m textclf.cli metrics

.PHONY: test
test: .venv/dev ## Run all tests that are not slow; some of them run the pipeline; about 9 minutes
	pytest --numprocesses auto -m "not slow"

.PHONY: test-all
test-all: .venv/dev ## Run the slow tests too: emulated CPU, commands in the docs, experiments, two-process training
	pytest --numprocesses auto -m "not nightly"

.PHONY: faults
faults: .venv/dev ## Make files, system calls and processes fail at random, N times as often as make test-all does
	FAULTS=$(N) FAULTS_SEED=$(FAULTS_SEED) pytest tests/faults
N = 1
FAULTS_SEED ?= random

.PHONY: check
check: .venv/dev ## Check style, types, imports between packages, params.yaml and the generated docs
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	python docs/generate.py --check

.PHONY: verify
verify: .venv/dev ## Run the pipeline in fresh clones, in other environments and on another CPU; compare every byte
	python -m tests.verify

.PHONY: verify-representations
verify-representations: .venv/dev ## Do the same with other representations and all models; 15 minutes
	python -m tests.verify --representations

.PHONY: fsck
fsck: .venv/run ## Look for damaged files: compare outputs, inputs and DVC's cache with dvc.lock, byte for byte
	@textclf fsck

.PHONY: pr-report
pr-report: .venv/run ## Print what this branch changes against BASE (default origin/main), as a pull request comment
	textclf pr-report "$(BASE)" $(PR_REPORT)
BASE = origin/main

.PHONY: pretrained
pretrained: .venv/pretrained ## Install what pretrained sentence encoders and transformers need

.PHONY: studies
studies: .venv/run ## Cross-validate all models and draw the learning curve; a few minutes
	dvc repro studies/dvc.yaml:crossvalidate studies/dvc.yaml:learning_curve

.PHONY: search
search: .venv/search ## Search for the best settings of a model, as the section search of params.yaml says
	dvc repro studies/dvc.yaml:search

.PHONY: audit
audit: .venv/audit ## Look for wrong labels: rows that models trained on other rows contradict; a minute
	dvc repro studies/dvc.yaml:audit
	@test $(AUDITED) -nt plots/audit.csv || dvc repro --force --single-item studies/dvc.yaml:audit # its page is not kept
	@echo $(AUDITED)
AUDITED := reports/audit.html

.PHONY: grid
grid: .venv/run ## Run a grid of params as experiments side by side (GRID="-S key=a,b ..."), best model first
	python -m benchmarks.grid $(GRID)

.PHONY: results
results: .venv/run ## Measure again what the docs show and what has changed since, then write the tables; 10 minutes
	dvc repro
	python -m benchmarks.results
	python docs/generate.py

.PHONY: bench
bench: .venv/run ## Time the pipeline against plain scripts, with 1,000 rows to a million; say what got slower; 15 minutes
	$(foreach name,bench scale@100000 scale@1000000 machines,$(TIMING):$(name) &&) true

.PHONY: bench-startup
bench-startup: .venv/run ## Measure what each second of the default run is: interpreter, imports, work
	$(TIMING):startup

.PHONY: bench-predict
bench-predict: .venv/dev ## Time textclf predict, with one sentence and with many
	$(TIMING):predict

.PHONY: bench-drift
bench-drift: .venv/dev ## Measure time and memory of textclf drift, with 1,000 new rows to a million
	$(TIMING):drift

.PHONY: bench-serve
bench-serve: .venv/dev ## Measure textclf serve: requests per second, latencies, health under load
	$(TIMING):serve

.PHONY: bench-install
bench-install: .venv/dev ## Measure fresh installations from each lock file; some minutes
	$(TIMING):install

.PHONY: bench-scale
bench-scale: .venv/dev ## Measure the pipeline at 100,000 rows and a million (SCALE=10000000 for others); some minutes
	$(foreach rows,$(SCALE),$(TIMING):scale@$(rows) &&) true
SCALE = 100000 1000000
TIMING := dvc repro --force --single-item benchmarks/timings/dvc.yaml

.PHONY: docs
docs: .venv/dev ## Regenerate the generated docs and the comments of params.yaml
	python docs/generate.py

.PHONY: gallery
gallery: .venv/dev ## Retake the screenshots of the report in the README and the docs; needs Chromium
	python docs/gallery.py

.PHONY: lock
lock: ## Update the locked requirements, with hashes; needs uv
	uv pip compile $(LOCK) --no-binary $(SDIST) -o requirements/run.txt pyproject.toml --extra pipeline \
		--group pyproject.toml:setup
	uv pip compile $(LOCK) -c requirements/run.txt -o requirements/build.txt --group pyproject.toml:build
	uv pip compile $(LOCK) -c requirements/run.txt -o requirements/predict.txt pyproject.toml --group pyproject.toml:setup
	uv pip compile $(LOCK) -c requirements/run.txt -o requirements/serve.txt pyproject.toml --extra serve \
		--group pyproject.toml:setup
	uv pip compile $(LOCK) -c requirements/run.txt -o requirements/pretrained.txt pyproject.toml --extra pretrained
	uv pip compile $(LOCK) -c requirements/run.txt -o requirements/search.txt pyproject.toml --extra search
	uv pip compile $(LOCK) -c requirements/run.txt -o requirements/audit.txt pyproject.toml --extra audit
	uv pip compile $(LOCK) -c requirements/run.txt -c requirements/serve.txt -c requirements/pretrained.txt \
		-c requirements/search.txt -c requirements/audit.txt -o requirements/dev.txt --group pyproject.toml:dev
LOCK := --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --quiet \
	--only-binary :all: --custom-compile-command "make lock"

.PHONY: clean
clean: ## Remove outputs of the pipeline and caches of tools, but not the environment or DVC's cache
	rm -rf data models reports dvc_plots .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Let pip compile to bytecode (its default): without it, TensorFlow takes 11 s to import.
INSTALL := python -m pip install --quiet --disable-pip-version-check
# Only wheels, which run no code when they are installed.
LOCKED := --require-hashes --only-binary :all:

.venv/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "error: make: Python must be 3.11 or newer; got %d.%d; set PYTHON=..." % v[:2])'
	$(PYTHON) -m venv .venv
	@touch $@

# The only requirement without a wheel. pip by itself would build it with whatever setuptools is the newest. The
# environment is called by another path, because setuptools takes a $ in its path for the start of a variable.
SDIST := antlr4-python3-runtime

.venv/run: .venv/python requirements/build.txt requirements/run.txt pyproject.toml
	$(INSTALL) $(LOCKED) -r requirements/build.txt
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && ln -s "$$PWD/.venv" "$$folder/venv" && \
		sed -n '/^$(SDIST)==/,/# via/p' requirements/run.txt >"$$folder/sdist.txt" && \
		"$$folder"/venv/bin/$(subst install,wheel,$(INSTALL)) --require-hashes --no-deps \
			--no-build-isolation --wheel-dir "$$folder" -r "$$folder/sdist.txt" && \
		$(INSTALL) --no-deps --no-index "$$folder"/*.whl
	$(INSTALL) $(LOCKED) -r requirements/run.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/pretrained: .venv/run requirements/pretrained.txt
	$(INSTALL) $(LOCKED) -r requirements/pretrained.txt
	@touch $@

.venv/search: .venv/run requirements/search.txt
	$(INSTALL) $(LOCKED) -r requirements/search.txt
	@touch $@

.venv/audit: .venv/run requirements/audit.txt
	$(INSTALL) $(LOCKED) -r requirements/audit.txt
	@touch $@

.venv/dev: .venv/run requirements/dev.txt
	$(INSTALL) $(LOCKED) -r requirements/dev.txt
	@touch $@
