"""What each representation and model reaches on each corpus, by cross-validation: tables in Markdown.

usage: python benchmarks/representations.py [CORPUS ...]

The folds are those of `make studies` (params: crossvalidate), the same for all. A difference is against counts of
words with logistic regression, with the interval of Nadeau and Bengio's corrected resampled t test.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from textclf import params
from textclf.evaluate import statistics
from textclf.fetch import download as sources
from textclf.fetch.catalogue import CORPORA
from textclf.studies import crossvalidation
from textclf.tables import corpus

ROOT = Path(__file__).parents[1]
MODELS = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm")
BASELINE = ("counts", "logistic_regression")
# Name: settings of vectorize, and the C of logistic regression that suits them.
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


def under(given: params.Params, vectorize: dict[str, Any], C: float) -> params.Params:
    """The params with other settings of vectorize, and the models compared here."""
    train = given.train.model_copy(
        update={"models": MODELS, "logistic_regression": given.train.logistic_regression.model_copy(update={"C": C})}
    )
    return given.model_copy(update={"vectorize": given.vectorize.model_copy(update=vectorize), "train": train})


def accuracies(name: str, given: params.Params) -> dict[tuple[str, str], Any]:
    """The accuracy in every fold (folds,), by representation and model."""
    found = sources.obtain({name: CORPORA[name]}, ROOT / "data" / "raw", lambda line: print(line, file=sys.stderr))
    with tempfile.TemporaryDirectory() as folder:
        for file, data in found.items():
            Path(folder, file).write_bytes(data)
        read = corpus.read(Path(folder), given.data)
    results = {}
    for representation, (vectorize, C) in REPRESENTATIONS.items():
        trainings = crossvalidation.crossvalidate(read.rows, read.classes, under(given, vectorize, C))
        for model, folds in trainings[trainings["repeat"] > 0].groupby("model"):
            results[representation, str(model)] = folds["accuracy"].to_numpy()
    return results


def table(results: dict[tuple[str, str], Any], folds: int) -> str:
    """A row a representation, a column a model: mean accuracy, and the difference to the baseline."""
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
                test = statistics.corrected_t(accuracy - results[BASELINE], ratio=1 / (folds - 1))
                cell += f" ({test.low:+.3f} to {test.high:+.3f})"
            cells.append(cell)
        lines.append(f"| {representation} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(names: list[str]) -> None:
    """Train and print."""
    given = params.load(ROOT / params.PARAMS_FILE)
    for name in names or CORPORA:
        print(f"**{name}**\n\n{table(accuracies(name, given), given.crossvalidate.folds)}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
