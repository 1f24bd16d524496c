"""Cross-validate each representation and model on each corpus, and print tables in Markdown.

usage: python benchmarks/representations.py [CORPUS ...]

All use the folds of `make studies` (section crossvalidate of params.yaml). Differences are from logistic regression on
word counts, with the interval of Nadeau and Bengio's corrected resampled t test.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from textclf.core.settings import PARAMS_FILE, load_params
from textclf.evaluate.comparisons import corrected_t
from textclf.evaluate.settings import Evaluate
from textclf.fetch.catalogue import CORPORA
from textclf.fetch.download import fetch_corpora
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
# By name: settings of vectorize, and the C of logistic regression that suits them.
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
    """Return the settings of params.yaml with other settings of vectorize, and the models compared here."""
    regression = params["train"].logistic_regression.model_copy(update={"C": C})
    train = params["train"].model_copy(update={"models": MODELS, "logistic_regression": regression})
    return Setup(params["split"], params["vectorize"].model_copy(update=vectorize), train, params["evaluate"])


def accuracies(name: str, params: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Return the accuracy in every fold (folds,) by representation and model."""
    contents = fetch_corpora({name: CORPORA[name]}, ROOT / "data" / "raw", lambda line: print(line, file=sys.stderr))
    with tempfile.TemporaryDirectory() as folder:
        for file, data in contents.items():
            Path(folder, file).write_bytes(data)
        rows = corpus.read(Path(folder), params["data"])
    results = {}
    for representation, (vectorize, C) in REPRESENTATIONS.items():
        setup = make_setup(params, vectorize, C)
        trainings = crossvalidate(rows.rows, rows.classes, setup, params["crossvalidate"])
        for model, folds in trainings[trainings["repeat"] > 0].groupby("model"):
            results[representation, str(model)] = folds["accuracy"].to_numpy()
    return results


def table(results: dict[tuple[str, str], Any], folds: int) -> str:
    """Return a table of mean accuracy and difference from the baseline, per representation (row) and model (column)."""
    lines = [
        f"| representation | {' | '.join(model.replace('_', ' ') for model in MODELS)} |",
        f"|---|{'---|' * len(MODELS)}",
    ]
    for representation in REPRESENTATIONS:
        cells = []
        for model in MODELS:
            accuracy = results[representation, model]
            cell = f"{np.mean(accuracy):.3f}"
            if (representation, model) != BASELINE:
                test = corrected_t(accuracy - results[BASELINE], ratio=1 / (folds - 1))
                cell += f" ({test.low:+.3f} to {test.high:+.3f})"
            cells.append(cell)
        lines.append(f"| {representation} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Parse the arguments, cross-validate, and print the table of each corpus."""
    parser = argparse.ArgumentParser(description="Cross-validate each representation and model on each corpus.")
    parser.add_argument(
        "corpora", nargs="*", choices=(*CORPORA, "all"), default="all", metavar="CORPUS", help="default: all"
    )
    corpora = parser.parse_args().corpora
    params = load_params(SECTIONS, ROOT / PARAMS_FILE)
    for name in CORPORA if "all" in corpora else corpora:
        print(f"**{name}**\n\n{table(accuracies(name, params), params['crossvalidate'].folds)}\n", flush=True)


if __name__ == "__main__":
    main()
