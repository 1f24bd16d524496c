"""Two texts for the first screen: one that the default model gets right, and one it gets wrong."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.display import NO_ANSWER, visible
from textclf.core.formatting import join_names, percent
from textclf.pages.parts import excerpt
from textclf.report.run import Run

# Characters of a text that is read at a glance.
LEGIBLE = 160
# Labels of a set that are named.
NAMED = 8
# What a row loses, more than a probability can be, so that it is shown for want of others alone.
PENALTY = 2.0
# A probability that would be shown as 100.0%.
CERTAIN = 0.9995


def rank_examples(
    actual: NDArray[np.int64],
    decided: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    legible: NDArray[np.bool_],
) -> dict[str, NDArray[np.float64]]:
    """Return how well each row shows what is "right", and "wrong", (rows,); -inf if it is not so.

    That is the probability of the decision. With several labels, of which the others have the
    columns (rows, labels), it is that of the least sure label of a right row, and of the surest
    wrong label of a wrong one. Rows that are not `legible`, or of no label, come last.
    """
    wrong, sureness = actual != decided, probabilities
    surest = sureness
    if actual.ndim == 2:
        legible = legible & (actual | decided).any(axis=1)
        each = np.where(decided == 1, probabilities, 1 - probabilities)
        sureness, surest = each.min(axis=1), np.where(wrong, each, 0).max(axis=1)
        wrong = wrong.any(axis=1)
    penalty = np.where(legible, 0, PENALTY)
    return {
        "right": np.where(wrong, -np.inf, sureness - penalty),
        "wrong": np.where(wrong, surest - penalty, -np.inf),
    }


def describe_examples(
    run: Run, found: Mapping[str, pd.DataFrame], texts: pd.Series
) -> list[dict[str, Any]]:
    """Return the texts found, by "right" and "wrong", with their labels as names."""
    return [
        {
            "kind": kind,
            "id": visible(row["id"]),
            "text": excerpt(texts[row["place"]], LEGIBLE),
            "actual": _name(run, row["actual"]),
            "decided": _name(run, row["decided"]),
            # A set of labels has no probability of its own, and no answer has none.
            "sure": "" if run.multilabel or row["decided"] < 0 else _sure(row["probabilities"]),
        }
        for kind, rows in found.items()
        for row in rows.to_dict("records")
    ]


def _name(run: Run, answer: Any) -> str:
    """Return the name of a class by its position, or those of the labels of a set."""
    names = [*run.names.values()]
    if not run.multilabel:
        return NO_ANSWER if answer < 0 else names[answer]
    labels = [name for name, has in zip(names, answer, strict=True) if has]
    if len(labels) > NAMED:
        labels[NAMED:] = [f"{len(labels) - NAMED} more"]
    return join_names(labels) or "no label"


def _sure(probability: float) -> str:
    return percent(probability) if probability < CERTAIN else "over 99.9%"
