"""The weighted mean of the probabilities of two models, a linear opinion pool.

Stone (1961), The opinion pool, Ann. Math. Statist. 32:1339-1342, doi:10.1214/aoms/1177704873.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from textclf.artifacts import predictions
from textclf.artifacts.average import mix
from textclf.artifacts.decisions import EPSILON
from textclf.artifacts.label_sets import of_actual
from textclf.artifacts.predictions import HELD_OUT, Predictions
from textclf.core.formatting import display_name
from textclf.models.common.settings import Averaged

KIND = "the weighted mean of the probabilities of two models"
# The weight without rows to choose it by.
EVEN = 0.5
WEIGHT_DIGITS = 2

# Predictions of two models for the same rows.
Pair = tuple[Predictions, Predictions]


def notes(settings: Averaged) -> list[str]:
    """Return how an average comes about."""
    names = f"{display_name(settings.first)} and {display_name(settings.second)}"
    sentence = (
        f"The probabilities are the weighted mean of those of {names}, with the lowest log loss "
        "on the validation rows or, without them, on training rows left out of the fit; without "
        "these too, both weigh the same."
    )
    return [sentence]


def read_pairs(files: Iterable[Path]) -> Iterator[Pair]:
    """Yield the predictions of two models for the same rows, from their files, batch by batch."""
    first, second = map(predictions.batches, files)
    return zip(first, second, strict=True)


def read_held_out(folders: Iterable[Path]) -> Pair | None:
    """Return the predictions of two models for held-out training rows; None if one has none."""
    first, second = (folder / HELD_OUT for folder in folders)
    if not (first.exists() and second.exists()):
        return None
    return predictions.read(first), predictions.read(second)


def average(weight: float, pair: Pair) -> Predictions:
    """Return the weighted mean of the predictions of two models for the same rows."""
    first, second = pair
    probabilities = mix(weight, first.probabilities, second.probabilities)
    return replace(first, scores={}, probabilities=probabilities)


def choose_weight(pairs: Iterable[Pair], held_out: Pair | None) -> tuple[float, int]:
    """Return the weight of the first model, and the number of rows that chose it.

    It has the lowest log loss, rounded to `WEIGHT_DIGITS`. The rows are the validation rows of
    `pairs` or, if there are none, the held-out training rows; without both, each model has half the
    weight, and the number is 0. The log loss is convex in the weight.
    """
    parts = [chances_of(pair, "validation") for pair in pairs] or [np.empty((2, 0))]
    chances = np.concatenate(parts, axis=1)
    if not chances.shape[1] and held_out is not None:
        chances = chances_of(held_out)
    rows = chances.shape[1]
    if not rows:
        return EVEN, 0

    def loss(weight: float) -> float:
        return -float(np.log(np.maximum(mix(weight, *chances), EPSILON)).mean())

    best = float(minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-4}).x)
    return (round(best, WEIGHT_DIGITS) if loss(best) < loss(EVEN) else EVEN), rows


def chances_of(pair: Pair, split: str | None = None) -> np.ndarray:
    """Return both probabilities of the actual class (2, rows) or labels (2, rows, labels).

    With `split` the rows are those of that split.
    """
    chosen = np.flatnonzero(pair[0].split == split) if split else np.arange(len(pair[0]))
    return np.array([of_actual(rows.probabilities[chosen], rows.y[chosen]) for rows in pair])
