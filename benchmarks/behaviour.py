"""Run the built-in behavioural tests with several models, trained on the lesson's split.

    python -m benchmarks.behaviour behaviour behaviour-transformer

The result has the test accuracy of each model with its interval, and its failure rate in each test.
behaviour-transformer has the fine-tuned model alone, which takes minutes and whose last digits depend on the machine.
"""

from functools import partial
from typing import Any

from benchmarks import project, results
from benchmarks.inputs import fetch_weights
from textclf.behave.results import read_metrics

TESTS = "sentiment"
SETTINGS: dict[str, Any] = project.train(
    "majority",
    "logistic_regression",
    "keras",
    letters={"kind": "logistic_regression", "features": "letters", "C": 10.0},
    sentences={"kind": "logistic_regression", "features": "sentences", "C": 10.0},
) | {
    "vectorize.letters": {"analyzer": "word+char_wb", "ngram_range": [1, 2], "weighting": "tfidf"},
    "vectorize.sentences": {"method": "encoder"},
}
TRANSFORMER: dict[str, Any] = project.train(transformer={"kind": "transformer", "features": "pieces"}) | {
    "vectorize.pieces": {"method": "wordpieces"}
}


def measure(settings: dict[str, Any]) -> dict[str, Any]:
    """Return `accuracy` on the test rows with its interval by model, and `models`: the rates by model and test."""
    fetch_weights()
    tests = {"behave.tests": {TESTS: f"behaviour/{TESTS}.yaml"}}
    with project.repro(settings | tests, f"behave@{TESTS}") as folder:
        metrics = project.metrics_in(folder)
        rates = read_metrics(folder / "metrics" / "behaviour" / f"{TESTS}.json").models
    return {
        "settings": settings,
        "accuracy": {
            model: {"accuracy": splits["test"]["accuracy"], **metrics["intervals"][model]["test"]["accuracy"]}
            for model, splits in metrics["evaluation"].items()
        },
        "models": {
            model: {test: outcome.model_dump(exclude={"failed", "changes"}) for test, outcome in outcomes.items()}
            for model, outcomes in rates.items()
        },
    }


if __name__ == "__main__":
    results.main(
        {"behaviour": partial(measure, SETTINGS), "behaviour-transformer": partial(measure, TRANSFORMER)},
    )
