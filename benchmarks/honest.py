"""Run the honest protocol on one corpus: all choices are made on validation rows, so that the test rows only measure.

    python -m benchmarks.honest --corpus yelp --result benchmarks/results/honest-yelp.json

The result has the settings, and the metrics of the run by the names of their files.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks import runs
from textclf.core import files
from textclf.fetch.catalogue import CORPORA

PROTOCOL: dict[str, Any] = {
    "split.validation_size": 0.15,
    "split.stratify": True,
    "split.group_duplicates": True,
    "train.logistic_regression.C": [0.1, 0.3, 1, 3, 10],
    "train.keras.early_stopping": 10,
    "evaluate.threshold": "accuracy",
    "evaluate.calibration": "temperature",
}
KEPT = ("comparisons", "decisions", "evaluation", "intervals", "training")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Run the honest protocol on one corpus.")
    parser.add_argument("--corpus", choices=CORPORA, required=True)
    parser.add_argument("--result", type=Path, required=True, help="the JSON file to write")
    given = parser.parse_args()
    metrics = runs.run(PROTOCOL | {"fetch.corpus": given.corpus})
    files.write_json(given.result, {"settings": PROTOCOL} | {name: metrics[name] for name in KEPT})


if __name__ == "__main__":
    main()
