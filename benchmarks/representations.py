"""Cross-validate each representation and model on one corpus.

    python -m benchmarks.representations --corpus yelp --result benchmarks/results/representations-yelp.json

All use the folds of `make studies` (section crossvalidate of params.yaml). The result has the mean accuracy and the
interval of the difference to logistic regression on word counts, by Nadeau and Bengio's corrected resampled t test.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.runs import CORPORA as RAW
from benchmarks.runs import WEIGHTS, rounded
from textclf.core import files
from textclf.core.settings import PARAMS_FILE, load_params
from textclf.evaluate.comparisons import corrected_t
from textclf.evaluate.settings import Evaluate
from textclf.fetch.catalogue import CORPORA
from textclf.models.settings import Train
from textclf.split.settings import Split
from textclf.studies.crossvalidation import crossvalidate
from textclf.studies.measure import Setup
from textclf.studies.settings import CrossValidate
from textclf.tables import corpus
from textclf.tables.settings import Data
from textclf.vectorize.settings import Vectorize

ROOT = Path(__file__).parents[1]
SECTIONS = {
    "crossvalidate": CrossValidate,
    "data": Data,
    "evaluate": Evaluate,
    "split": Split,
    "train": Train,
    "vectorize": Vectorize,
}
MODELS = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
BASELINE = ("counts", "logistic_regression")
# By name: settings of the terms, and the C of logistic regression that suits them.
REPRESENTATIONS: dict[str, tuple[dict[str, Any], float]] = {
    "counts": ({}, 1.0),
    "binary": ({"weighting": "binary"}, 1.0),
    "binary, words (1,2)": ({"weighting": "binary", "ngram_range": (1, 2)}, 1.0),
    "tf-idf, words (1,2)": ({"weighting": "tfidf", "ngram_range": (1, 2)}, 10.0),
    "tf-idf, letters char_wb (2,5)": ({"weighting": "tfidf", "analyzer": "char_wb"}, 10.0),
    "tf-idf, words (1,2) + char_wb (2,5)": (
        {"weighting": "tfidf", "analyzer": "word+char_wb", "ngram_range": (1, 2)},
        10.0,
    ),
    "tf-idf, hashed into 262,144": ({"weighting": "tfidf", "ngram_range": (1, 2), "hashing": 2**18}, 10.0),
}


def make_setup(params: dict[str, Any], vectorize: dict[str, Any], C: float) -> Setup:
    """Return the settings of params.yaml with other settings of the words, and the models compared here."""
    regression = params["train"].logistic_regression.model_copy(update={"C": C})
    train = params["train"].model_copy(update={"models": MODELS, "logistic_regression": regression})
    return Setup(params["split"], Vectorize.model_validate({"words": vectorize}), train, params["evaluate"], WEIGHTS)


def accuracies(name: str, params: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Return the accuracy in every fold (folds,) by representation and model."""
    rows = corpus.read(RAW / CORPORA[name].file, params["data"])
    results = {}
    for representation, (vectorize, C) in REPRESENTATIONS.items():
        setup = make_setup(params, vectorize, C)
        trainings = crossvalidate(rows.rows, rows.classes, setup, params["crossvalidate"])
        for model, folds in trainings[trainings["repeat"] > 0].groupby("model", sort=False):
            results[representation, str(model)] = folds["accuracy"].to_numpy()
    return results


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Cross-validate each representation and model on one corpus.")
    parser.add_argument("--corpus", choices=CORPORA, required=True)
    parser.add_argument("--result", type=Path, required=True, help="the JSON file to write")
    given = parser.parse_args()
    params = load_params(SECTIONS, ROOT / PARAMS_FILE)
    results = accuracies(given.corpus, params)
    baseline = results[BASELINE]
    ratio = 1 / (params["crossvalidate"].folds - 1)
    content: dict[str, dict[str, Any]] = {name: {} for name in REPRESENTATIONS}
    for (representation, model), accuracy in results.items():
        content[representation][model] = {"accuracy": float(np.mean(accuracy))}
        if (representation, model) != BASELINE:
            test = corrected_t(accuracy - baseline, ratio)
            content[representation][model] |= {"low": test.low, "high": test.high}
    rows = [{"representation": name, "models": models} for name, models in content.items()]
    files.write_json(given.result, rounded(rows))


if __name__ == "__main__":
    main()
