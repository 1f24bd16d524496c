"""Run the pipeline on the built-in corpora by protocols that docs/ shows.

    python -m benchmarks.protocols honest-yelp honest-amazon honest-imdb together-sentiment together-source

`honest`: all choices are made on validation rows, so that the test rows only measure; the result has the metrics of the
run by the names of their files. `together`: the three corpora as one table, classified by sentiment or by the corpus
that a sentence comes from; the result has accuracy and its interval on the test rows, by model.
"""

from functools import partial
from typing import Any

from benchmarks import project, results
from benchmarks.inputs import NAMES

HONEST: dict[str, Any] = {
    "split.validation_size": 0.15,
    "split.stratify": True,
    "split.group_duplicates": True,
    "train.logistic_regression.C": [0.1, 0.3, 1, 3, 10],
    "train.keras.early_stopping": 10,
    "evaluate.threshold": "accuracy",
    "evaluate.calibration": "temperature",
}
KEPT = ("comparisons", "decisions", "evaluation", "intervals", "training")
TOGETHER: dict[str, Any] = {
    "fetch.corpus": list(NAMES),
    "split.validation_size": 0.15,
    "split.stratify": True,
    "split.group_duplicates": True,
    "train.keras.early_stopping": 10,
    "train.models": ["majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras"],
}
LABELS: dict[str, dict[str, Any]] = {"sentiment": {}, "source": {"data.label": "source"}}


def honest(corpus: str) -> dict[str, Any]:
    """Return settings and metrics of the honest protocol on a corpus."""
    metrics = project.metrics(HONEST | {"fetch.corpus": corpus})
    return {"settings": HONEST} | {name: metrics[name] for name in KEPT}


def together(label: str) -> dict[str, Any]:
    """Return settings and accuracies on the three corpora as one table."""
    metrics = project.metrics(TOGETHER | LABELS[label])
    models = {
        model: {"accuracy": splits["test"]["accuracy"], **metrics["intervals"][model]["test"]["accuracy"]}
        for model, splits in metrics["evaluation"].items()
    }
    rows = next(iter(metrics["features"].values()))["test"]["rows"]
    return {"settings": TOGETHER, "test_rows": rows, "models": models}


CASES = {f"honest-{name}": partial(honest, name) for name in NAMES}
CASES |= {f"together-{label}": partial(together, label) for label in LABELS}

if __name__ == "__main__":
    results.main(CASES)
