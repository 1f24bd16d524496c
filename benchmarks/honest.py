"""Run the pipeline on a corpus with all choices made on validation rows, so that the test rows only measure.

    python -m benchmarks.honest honest-yelp

The result has the settings, and the metrics of the run by the names of their files.
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
    "evaluate.calibration": "temperature",
}
KEPT = ("comparisons", "decisions", "evaluation", "intervals", "training")


def honest(corpus: str) -> dict[str, Any]:
    """Return settings and metrics of the honest protocol on a corpus."""
    metrics = project.metrics(HONEST | {"fetch.corpus": corpus})
    return {"settings": HONEST} | {name: metrics[name] for name in KEPT}


CASES = {f"honest-{name}": partial(honest, name) for name in NAMES}

if __name__ == "__main__":
    results.main(CASES)
