"""Run the built-in behavioural tests with several models, trained on the lesson's split.

    python -m benchmarks.behaviour --result benchmarks/results/behaviour.json
    python -m benchmarks.behaviour --transformer --result benchmarks/results/behaviour-transformer.json

Runs the pipeline's stages in a temporary folder. The result has the test accuracy of each model with its interval, and
its failure rate in each test. With --transformer the only model is the fine-tuned one, which takes minutes and whose
last digits depend on the type of the machine. The pretrained weights are fetched into data/weights.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import runs
from benchmarks.weights import fetch_weights
from textclf.behave.results import read_metrics
from textclf.core import files
from textclf.core.settings import PARAMS_FILE, load_yaml

TESTS = "sentiment"
LATER = ("export", "behave")  # the stages after those of `runs.commands`
LETTERS = {"analyzer": "word+char_wb", "ngram_range": [1, 2], "weighting": "tfidf"}
SETTINGS: dict[str, Any] = {
    "train.models": ["majority", "logistic_regression", "keras", "letters", "sentences"],
    "train.letters": {"model": "logistic_regression", "features": "letters", "C": 10.0},
    "train.sentences": {"model": "logistic_regression", "features": "sentences", "C": 10.0},
    "vectorize.letters": LETTERS,
    "vectorize.sentences": {"method": "encoder"},
}
TRANSFORMER: dict[str, Any] = {"train.models": ["transformer"], "vectorize.pieces": {"method": "wordpieces"}}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run the built-in behavioural tests with several models.")
    parser.add_argument("--transformer", action="store_true", help="fine-tune the transformer, and test it alone")
    parser.add_argument("--result", type=Path, required=True, help="the JSON file to write")
    given = parser.parse_args()
    fetch_weights()
    settings = TRANSFORMER if given.transformer else SETTINGS
    params = load_yaml(runs.ROOT / PARAMS_FILE)
    for key, value in (settings | {"behave.tests": {TESTS: str(runs.ROOT / "behaviour" / f"{TESTS}.yaml")}}).items():
        runs.set_param(params, key, value)
    files.write_json(given.result, {"settings": settings, **measure(params)})


def measure(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return `accuracy` on the test rows with its interval by model, and `models`: the rates by model and test."""
    with tempfile.TemporaryDirectory(prefix="textclf-behaviour-") as name:
        folder = Path(name)
        runs.prepare(folder, params)
        shutil.copytree(runs.WEIGHTS, folder / "data" / "pretrained")  # what is there is not fetched again
        variables = os.environ | {"PYTHONPATH": str(runs.ROOT), "TEXTCLF_CORPUS": str(runs.CORPORA)}
        for command in [*runs.commands(params), *later_commands()]:
            subprocess.run(command, cwd=folder, env=variables, stdout=sys.stderr, check=True)
        metrics = folder / "metrics"
        measured, ends = (files.read_json(metrics / f"{name}.json") for name in ("evaluation", "intervals"))
        rates = read_metrics(metrics / "behaviour" / f"{TESTS}.json").models
    return {
        "accuracy": {
            model: {"accuracy": splits["test"]["accuracy"], **ends[model]["test"]["accuracy"]}
            for model, splits in measured.items()
        },
        "models": {
            model: {test: outcome.model_dump(exclude={"failed", "changes"}) for test, outcome in outcomes.items()}
            for model, outcomes in rates.items()
        },
    }


def later_commands() -> Iterator[list[str]]:
    """Yield the commands of the stages after evaluate that the tests need."""
    stages = load_yaml(runs.ROOT / "dvc.yaml")["stages"]
    for name in LATER:
        command = stages[name].get("do", stages[name])["cmd"].replace("$DVC_STAGE", f"{name}@{TESTS}")
        yield [sys.executable, *shlex.split(command)[1:]]


if __name__ == "__main__":
    main()
