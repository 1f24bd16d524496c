"""Classify the three built-in corpora as one table, by sentiment or by the corpus that a sentence comes from.

    python -m benchmarks.together --label source --result benchmarks/results/together-source.json

The result has the settings, and accuracy and its interval on the test rows, by model.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks import runs
from textclf.core import files
from textclf.fetch.catalogue import CORPORA

SETTINGS: dict[str, Any] = {
    "fetch.corpus": list(CORPORA),
    "split.validation_size": 0.15,
    "split.stratify": True,
    "split.group_duplicates": True,
    "train.keras.early_stopping": 10,
    "train.models": ["majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras"],
}
LABELS: dict[str, dict[str, Any]] = {"sentiment": {}, "source": {"data.label": "source"}}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Classify the three built-in corpora as one table.")
    parser.add_argument("--label", choices=LABELS, required=True)
    parser.add_argument("--result", type=Path, required=True, help="the JSON file to write")
    given = parser.parse_args()
    metrics = runs.run(SETTINGS | LABELS[given.label])
    models = {
        model: {"accuracy": splits["test"]["accuracy"], **metrics["intervals"][model]["test"]["accuracy"]}
        for model, splits in metrics["evaluation"].items()
    }
    rows = next(iter(metrics["features"].values()))["test"]["rows"]
    files.write_json(given.result, {"settings": SETTINGS, "test_rows": rows, "models": models})


if __name__ == "__main__":
    main()
