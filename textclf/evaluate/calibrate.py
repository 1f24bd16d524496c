"""Calibration and thresholds fitted on validation rows, and the bins of a reliability curve."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.artifacts.decisions import Platt, log_odds
from textclf.artifacts.temperature import PRIOR
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.evaluate.clusters import TINY
from textclf.evaluate.intervals import CONFIDENCE, wilson
from textclf.evaluate.metrics.of_rows import BINS, top_class
from textclf.evaluate.rows import Labels

if TYPE_CHECKING:
    import pandas as pd

# Standard deviation of the prior of an intercept, in log odds.
INTERCEPT_PRIOR = 1.0
# Share of the rows expected to be positive above the first threshold that is tested.
START = 0.25
# The correlation that few clusters show is averaged with that of so many clusters whose rows are
# all alike.
ALIKE = 2


def reliability_table(
    y: Labels,
    probabilities: NDArray[np.float64],
    confidence: float = CONFIDENCE,
    worth: float = 1.0,
) -> "pd.DataFrame":
    """Return the bins that hold rows, with the Wilson interval of their accuracy.

    They are sorted by ascending confidence. The rows of a bin have a confidence above `low` and up
    to `high`; a row is worth `worth` independent ones. With several labels per text, `rows` are
    pairs of row and label, as in `top_class`.
    """
    import pandas as pd  # which `textclf metrics` does without

    confidences, correct, position = top_class(y, probabilities)
    table = []
    for place in np.unique(position).tolist():
        inside = position == place
        rows, accuracy = int(inside.sum()), float(correct[inside].mean())
        ends = wilson(accuracy * rows * worth, rows * worth, confidence)
        row = {"low": place / BINS, "high": (place + 1) / BINS, "rows": rows}
        row |= {"confidence": float(confidences[inside].mean()), "accuracy": accuracy}
        table.append(row | {"accuracy_low": ends.low, "accuracy_high": ends.high})
    return pd.DataFrame(table)


def fit_platt(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], worth: float = 1.0
) -> Platt:
    """Return the most probable slope and intercept, given these rows and a prior around 1 and 0.

    The rows are of two classes. Platt (1999), Probabilistic outputs for support vector machines, in
    Advances in Large Margin Classifiers, 61-74, but with normal priors of standard deviation
    `PRIOR` on the slope and `INTERCEPT_PRIOR` on the intercept instead of his smoothed targets,
    which make an accurate model on few rows far too unsure. The rows must be neither
    training rows nor test rows.
    """
    from scipy.optimize import minimize  # takes long to import

    terms = np.column_stack([log_odds(probabilities), np.ones(len(y))])
    identity = np.array([1.0, 0.0])
    precision = 1 / (np.array([PRIOR, INTERCEPT_PRIOR]) ** 2 * worth * len(y))

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z, shift = terms @ x, x - identity
        value = float(np.mean(np.logaddexp(0, z) - y * z) + precision @ shift**2 / 2)
        return value, terms.T @ (scipy.special.expit(z) - y) / len(y) + precision * shift

    best = minimize(loss, identity, method="BFGS", jac=True, options={"gtol": 1e-10})
    return Platt(*best.x.round(DIGITS).tolist())


def choose_threshold(
    y: NDArray[np.integer[Any]], positive_probability: NDArray[np.float64], rule: str
) -> float:
    """Return the threshold, with 6 digits, with the highest accuracy or F1 ("f1") on these rows.

    A probability above it is decided positive. Of equals the nearest to 0.5 is taken, then the
    lower. The rows must not be test rows.
    """
    candidates, true, false = _decided(y, positive_probability)
    gain = true - false if rule == "accuracy" else 2 * true / np.maximum(true + false + y.sum(), 1)
    best = candidates[gain == gain.max()]
    return float(best[np.argmin(np.abs(best - 0.5).round(DIGITS))])


def reach_precision(
    y: NDArray[np.integer[Any]],
    positive_probability: NDArray[np.float64],
    target: float,
    confidence: float = CONFIDENCE,
    clusters: NDArray[np.int64] | None = None,
) -> float:
    """Return the lowest threshold whose precision is at least `target` with this confidence.

    The rows must be no test rows; `clusters` (rows,) are those of dependent rows, None if the rows
    are independent. Thresholds are tested from the highest down by the lower bound of Clopper &
    Pearson (1934), Biometrika 26:404-413, with as many rows as those above are worth, and the last
    before the first that fails is taken. As their order depends on no label, all tests together err
    with probability 1 - confidence at most: fixed-sequence testing, as in Angelopoulos et al.
    (2021), Learn then Test, arXiv:2110.01052. The first has above it a quarter of the rows that are
    expected to be positive, and at least as many as must be right without a mistake. Raises
    `UserError` if it fails.
    """
    candidates, true, false = (values[::-1] for values in _decided(y, positive_probability))
    decided = true + false
    worth = if_right = np.ones(len(y) + 1)
    if clusters is not None:
        order = np.argsort(-positive_probability, kind="stable")
        worth, if_right = _worth(y[order] - target, clusters[order])
    right, wrong = true * worth[decided], false * worth[decided]
    fewest = math.ceil(math.log(1 - confidence) / math.log(target))
    enough = np.maximum.accumulate(decided * if_right[decided])
    starts = decided >= min(START * positive_probability.sum(), decided[-1])
    tested = np.flatnonzero(starts & (enough >= min(fewest, enough[-1])))
    passed = np.logical_and.accumulate(lower_bound(right, wrong, confidence)[tested] >= target)
    if not passed[0]:
        place, sizes = tested[0], np.geomspace(1, 1000, 500)
        rows = f"{decided[place]:,} rows"
        if clusters is not None:
            rows += f", worth {right[place] + wrong[place]:,.0f} independent ones,"
        bounds = lower_bound(sizes * right[place], sizes * wrong[place], confidence)
        enough_rows = len(y) * sizes[bounds >= target]
        needed = f"about {enough_rows[0]:,.0f}" if len(enough_rows) else "no number of"
        raise UserError(
            "evaluate.target_precision must be a precision that some threshold has "
            f"with {confidence:.0%} confidence; got {target}, but of the {rows} "
            f"with the highest probabilities {true[place]:,} are positive; "
            f"{needed} rows would do at this rate; "
            "raise split.validation_size or lower the target"
        )
    return float(candidates[tested[passed][-1]])


def _worth(
    gaps: NDArray[Any], clusters: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many independent rows a row is worth among the first 0, 1, 2, ... rows.

    The second array is that if all rows are right. `gaps` (rows,) are 1 or 0 minus the precision
    that is tested. The worth is the variance of their mean if the rows were independent, divided by
    that of clusters, both if the test is right (a score test, so that no wrong row is needed). As
    few large clusters tell little, it is averaged with that of `ALIKE` clusters whose rows are all
    alike: Kish's n^2 / sum(m^2) for m rows each (Survey Sampling, 1965).
    """
    order, sizes = np.argsort(clusters, kind="stable"), np.bincount(clusters)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)  # of the cluster of each row in this order

    def sums(values: NDArray[Any], power: int) -> NDArray[np.float64]:
        """Return the sum over clusters of (sum of values)^power among the first 1, 2, ... rows."""
        before = np.cumsum(values[order]) - values[order]
        before -= before[starts]
        steps = np.empty_like(before)
        steps[order] = (before + values[order]) ** power - before**power
        return np.cumsum(steps)

    ones = np.ones(len(gaps))
    squares = sums(ones, 2)
    if_right, number = np.cumsum(ones) / squares, squares**2 / sums(ones, 4)
    measured = np.minimum(np.cumsum(gaps**2) / np.maximum(sums(gaps, 2), TINY), 1)
    worth = (number + ALIKE) / (number / measured + ALIKE / if_right)
    return np.append(1, worth), np.append(1, if_right)


def lower_bound(right: NDArray[Any], wrong: NDArray[Any], confidence: float) -> NDArray[np.float64]:
    """Return the one-sided Clopper-Pearson bound of the share of right rows; NaN without any."""
    return np.asarray(scipy.special.betaincinv(right, wrong + 1, 1 - confidence), dtype=np.float64)


def _decided(
    y: NDArray[np.integer[Any]], positive_probability: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the candidates for a threshold, ascending, and the true and false positives of each.

    They are 0, 1 and the midpoints between neighbouring probabilities, judged after rounding, as
    `probability > threshold` will decide.
    """
    scores = np.unique(positive_probability)
    # Halves are rounded down: of two scores that differ in the last digit, the lower one separates
    # them.
    midpoints = np.maximum(scores[:-1] + np.diff(scores) / 2 - 1e-12, 0)
    candidates = np.unique(np.concatenate([[0.0], midpoints, [1.0]]).round(DIGITS))
    negatives, positives = (np.sort(positive_probability[y == label]) for label in (0, 1))
    true = len(positives) - np.searchsorted(positives, candidates, side="right")
    false = len(negatives) - np.searchsorted(negatives, candidates, side="right")
    return candidates, true, false
