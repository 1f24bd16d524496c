"""What estimators of single labels are fitted on: all rows, or with several labels per text one problem per label."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.features import Features

Array = NDArray[np.float64]


class Problem(NamedTuple):
    """Rows with one class each, and their weights (rows,), None if all weigh the same."""

    rows: Features
    weights: Array | None


def problems(part: Features, weights: Array | None) -> list[Problem]:
    """Return the rows as one problem; of several labels, one per label, of the classes without and with it."""
    if not part.multilabel:
        return [Problem(part, weights)]
    names = [np.array([f"not {name}", name]) for name in part.classes]
    soft = [None] * len(names) if part.targets is None else [np.stack([1 - each, each], 1) for each in part.targets.T]
    return [
        Problem(
            replace(part, y=y.astype(np.int64), classes=names[n], targets=soft[n]),
            None if weights is None else weights[:, n],
        )
        for n, y in enumerate(part.y.T)
    ]
