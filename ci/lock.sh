#!/usr/bin/env bash
# Update the locked requirements, with hashes, after an edit of pyproject.toml: ci/lock.sh (it needs uv).
set -euo pipefail
cd "$(dirname "$0")/.."

lock() { # NAME OPTION...: write requirements/NAME.txt; a requirement that has no wheel is refused
  uv pip compile --upgrade --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --quiet \
    --only-binary :all: --custom-compile-command ci/lock.sh -o "requirements/$1.txt" "${@:2}"
}
run=(-c requirements/run.txt) # the same versions as in the pipeline

lock run --no-binary antlr4-python3-runtime pyproject.toml --extra pipeline # the Makefile builds this one
lock build "${run[@]}" --group pyproject.toml:build
lock predict "${run[@]}" pyproject.toml
lock serve "${run[@]}" pyproject.toml --extra serve
for extra in pretrained search audit; do
  lock "$extra" "${run[@]}" pyproject.toml --extra "$extra"
done
lock dev "${run[@]}" -c requirements/serve.txt -c requirements/pretrained.txt -c requirements/search.txt \
  -c requirements/audit.txt --group pyproject.toml:dev
