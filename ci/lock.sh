#!/usr/bin/env bash
# Update the locked requirements, with hashes, after an edit of pyproject.toml: ci/lock.sh (it needs uv).
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_FORK_STRATEGY=fewest # one version of a package for all of Python, where there is one

lock() { # NAME OPTION...: write requirements/NAME.txt; a requirement that has no wheel is refused
  uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --quiet \
    --only-binary :all: --custom-compile-command ci/lock.sh -o "requirements/$1.txt" "${@:2}"
}
run=(-c requirements/run.txt) # the same versions as in the pipeline

lock run --no-binary antlr4-python3-runtime pyproject.toml --extra pipeline # the Makefile builds this one
lock build "${run[@]}" --group pyproject.toml:build
lock keras "${run[@]}" pyproject.toml --extra keras
lock predict "${run[@]}" pyproject.toml
lock serve "${run[@]}" pyproject.toml --extra serve
for extra in pretrained search audit sign; do
  lock "$extra" "${run[@]}" -c requirements/keras.txt pyproject.toml --extra "$extra"
done
lock dev "${run[@]}" -c requirements/serve.txt -c requirements/pretrained.txt -c requirements/search.txt \
  -c requirements/audit.txt -c requirements/sign.txt --group pyproject.toml:dev
# Predict and serve beside other packages
beside=(--extra serve --extra parquet --group pyproject.toml:predict)
lock lowest --resolution lowest-direct pyproject.toml "${beside[@]}"
lock newest pyproject.toml "${beside[@]}" --fork-strategy requires-python # a newer Python has newer packages
