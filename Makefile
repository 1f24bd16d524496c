# What a person or a CI job asks of this project. `make` alone prints this list.

PYTHON ?= python3
BIN := .venv/bin
# Every recipe finds the environment's python, dvc and tools first, so that nothing need be activated.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.PHONY: repro
repro: .venv/run ## Set up the environment and run the pipeline; what is up to date is not run again
	dvc repro

.PHONY: test
test: .venv/dev ## Run all tests, the pipeline itself among them
	pytest

.PHONY: check
check: .venv/dev ## Check style, types, params.yaml and the generated docs
	ruff format --check .
	ruff check .
	mypy
	python docs/generate.py --check

.PHONY: verify
verify: .venv/dev ## Run the pipeline in fresh clones under other settings and another CPU; compare every byte
	python -m tests.verify

.PHONY: verify-representations
verify-representations: .venv/dev ## The same with other representations and all models; a quarter of an hour
	python -m tests.verify --representations

.PHONY: honest
honest: .venv/run ## Run the honest protocol on each corpus, as experiments beside the lesson's run
	python benchmarks/honest.py $(CORPUS)

.PHONY: pr-report
pr-report: .venv/run ## Write what this branch changes against BASE, as the comment of a pull request
	textclf pr-report "$(BASE)" $(PR_REPORT)
BASE = origin/main

.PHONY: studies
studies: .venv/run ## Cross-validate all models and draw the learning curve; a few minutes
	dvc repro studies/dvc.yaml

.PHONY: grid
grid: .venv/run ## Run a grid of representations and models as experiments, and list them by validation accuracy
	dvc exp run --queue $(GRID)
	dvc exp run --run-all >/dev/null
	dvc exp show --hide-workspace --md --sort-by best.validation.accuracy --sort-order desc --drop '$(OTHER_COLUMNS)'
# A list after = is a sweep, each value in brackets one set of models; validation rows choose among them.
GRID := -S split.validation_size=0.15 -S split.stratify=true -S split.group_duplicates=true \
	-S vectorize.analyzer=word,word+char_wb -S vectorize.weighting=counts,tfidf \
	-S 'train.models=[naive_bayes],[logistic_regression],[nb_svm]'
OTHER_COLUMNS := ^(?!Experiment|best\.(validation|test)\.(accuracy|log_loss)$$|train\.models|vectorize\.(analyzer|weighting))

.PHONY: representations
representations: .venv/run ## Cross-validate representations and models on each corpus; a few minutes
	python benchmarks/representations.py

.PHONY: bench
bench: .venv/run ## Time the pipeline against the lesson as one plain script
	python benchmarks/bench.py

.PHONY: bench-predict
bench-predict: .venv/dev ## Time textclf predict, from cold and with many sentences
	python benchmarks/predict.py

.PHONY: bench-scale
bench-scale: .venv/dev ## Measure the pipeline at 100,000 rows and a million (SCALE="10000000" for more); some minutes
	python -m benchmarks.scale $(SCALE)

.PHONY: docs
docs: .venv/dev ## Write the generated docs anew
	python docs/generate.py

.PHONY: gallery
gallery: .venv/dev ## Take the pictures of the report in the README anew; needs Chromium
	python docs/gallery.py

.PHONY: lock
lock: ## Resolve the requirements anew and lock them with hashes; needs uv
	uv pip compile $(LOCK) -o requirements/run.txt pyproject.toml --group pyproject.toml:setup
	uv pip compile $(LOCK) -c requirements/run.txt -o requirements/dev.txt --group pyproject.toml:dev
LOCK := --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --quiet \
	--custom-compile-command "make lock"

.PHONY: clean
clean: ## Remove what the pipeline and the tools made, the environment and DVC's cache excepted
	rm -rf data models reports dvc_plots .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Pip compiles what it installs to bytecode, without which TensorFlow takes 11 s to import.
INSTALL := python -m pip install --quiet --disable-pip-version-check

.venv/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "error: make: Python must be 3.11 or newer; got %d.%d; set PYTHON=..." % v[:2])'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run: .venv/python requirements/run.txt pyproject.toml
	$(INSTALL) --require-hashes -r requirements/run.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/run requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
