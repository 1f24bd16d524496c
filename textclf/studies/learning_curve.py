"""The learning curve: test accuracy by the number of training rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from textclf.artifacts.label_sets import count_labels
from textclf.core.errors import UserError
from textclf.evaluate.intervals import wilson
from textclf.studies import measure as training
from textclf.studies.measure import Setup
from textclf.vectorize.in_memory import encode_labels

STEPS = 10


def learning_curve(splits: Mapping[str, pd.DataFrame], classes: Sequence[str], setup: Setup) -> pd.DataFrame:
    """Return `model`, `rows`, `accuracy` and its Wilson interval, per model and share of the training rows.

    `STEPS` steps take the first tenth of the training rows, two tenths, and so on (their order is random). A step with
    too few rows of a class is left out; raise `UserError` if all are.
    """
    enough = max(setup.train[name].rows_per_class() for name in setup.train.names())
    curve = []
    for step in range(1, STEPS + 1):
        train = splits["train"].iloc[: max(1, len(splits["train"]) * step // STEPS)]
        y = encode_labels(train["label"], classes)
        counts = count_labels(y, len(classes))
        counts = np.minimum(counts, len(train) - counts) if y.ndim == 2 else counts  # rows with or without a label
        if counts.min() < enough:
            continue
        for name in setup.train.names():
            accuracy = training.measure({**splits, "train": train}, classes, name, setup)["accuracy"]
            tested = len(splits["test"])
            low, high = wilson(round(accuracy * tested), tested, setup.evaluate.confidence)
            curve.append(
                {"model": name, "rows": len(train), "accuracy": accuracy, "accuracy_low": low, "accuracy_high": high}
            )
    if not curve:
        rarest = classes[int(counts.argmin())]
        raise UserError(f"each class must have at least {enough} training rows; {rarest} has {counts.min()}")
    return pd.DataFrame(curve)
