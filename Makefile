# The commands of this project. `make` alone lists them.

PYTHON ?= python3
BIN := .venv/bin
# macOS's make looks for a command along its own PATH, not along this one, unless it starts a shell that it does not know.
SHELL := bash
# Recipes use the python, dvc and tools of the environment, so it need not be activated.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24

.PHONY: repro
repro: .venv/run ## Set up the environment and run the stages that are not up to date
	@python -m textclf.cli check
	@mkdir -p .dvc/tmp && touch .dvc/tmp/repro
	python -m dvc repro
	@test reports/report.html -nt .dvc/tmp/repro || python -m textclf.cli metrics # the stage report prints the same

.PHONY: test
test: .venv/dev ## Run all tests but the slow ones, which .ci/run runs too; some of them run the pipeline
	pytest --numprocesses auto -m "not slow"

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

.PHONY: studies
studies: .venv/run ## Cross-validate all models and draw the learning curve; a few minutes
	python -m textclf.cli crossvalidate
	python -m textclf.cli learning-curve

.PHONY: search
search: .venv/search ## Search for the best settings of a model, as the section search of params.yaml says
	python -m textclf.cli search

.PHONY: audit
audit: .venv/audit ## Look for wrong labels: rows that models trained on other rows contradict; a minute
	python -m textclf.cli audit

.PHONY: bench
bench: .venv/dev ## Time the pipeline against plain scripts, with 1,000 rows to a million; 15 minutes on an idle machine
	python -m benchmarks.bench
	python -m benchmarks.scale scale-100000 scale-1000000

.PHONY: docs
docs: .venv/dev ## Regenerate the generated docs and the comments of params.yaml
	python docs/generate.py

.PHONY: wheel
wheel: .venv/run ## Build the wheel and the sdist of textclf-pipeline, the same bytes each time
	rm -rf dist
	python -m hatchling build

.PHONY: clean
clean: ## Remove built packages and caches of tools, but no data, no model and no result
	rm -rf dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Let pip compile to bytecode (its default): without it, TensorFlow takes 11 s to import.
INSTALL := python -m pip install --quiet --disable-pip-version-check
# Only wheels, which run no code when they are installed.
LOCKED := --require-hashes --only-binary :all:

.venv/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(not (3, 11) <= v < (3, 14) and "error: make: Python must be 3.11, 3.12 or 3.13, for which TensorFlow has wheels; got %d.%d; set PYTHON=..." % v[:2])'
	$(PYTHON) -m venv .venv
	@touch $@

# The only requirement without a wheel. pip by itself would build it with whatever setuptools is the newest. The
# environment is called by another path, because setuptools takes a $ in its path for the start of a variable.
SDIST := antlr4-python3-runtime

RUN := requirements/run.txt requirements/keras.txt
.venv/run: .venv/python requirements/build.txt $(RUN) pyproject.toml
	$(INSTALL) $(LOCKED) -r requirements/build.txt
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && ln -s "$$PWD/.venv" "$$folder/venv" && \
		sed -n '/^$(SDIST)==/,/# via/p' requirements/run.txt >"$$folder/sdist.txt" && \
		"$$folder"/venv/bin/$(subst install,wheel,$(INSTALL)) --require-hashes --no-deps \
			--no-build-isolation --wheel-dir "$$folder" -r "$$folder/sdist.txt" && \
		$(INSTALL) --no-deps --no-index "$$folder"/*.whl
	@echo "installing $$(grep -oh '^[^ #]*==' $(RUN) | sort -u | wc -l) packages, about 3 GB, into .venv: some minutes"
	@rm -f .venv/failed; { $(subst --quiet,--progress-bar off,$(INSTALL)) $(LOCKED) $(RUN:%=-r %) || touch .venv/failed; } | \
		grep --line-buffered -oE '(Downloading|Using cached) .*|Installing collected packages' || true; test ! -e .venv/failed
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# Run make .venv/pretrained for sentence encoders and transformers; make search and make audit install what they need.
.venv/pretrained .venv/search .venv/audit .venv/dev: .venv/%: .venv/run requirements/%.txt
	$(INSTALL) $(LOCKED) -r requirements/$*.txt
	@touch $@
