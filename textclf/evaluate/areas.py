"""The areas below the ROC curves of many classes, and their variances without resamples."""

import math

import numpy as np
from numpy.typing import NDArray

from textclf.evaluate.clusters import sum_by_cluster, variance_between
from textclf.evaluate.intervals import Interval, normal, variance_of_mean
from textclf.evaluate.metrics import counts_below, shown_classes

Floats = NDArray[np.float64]


class Areas:
    """Areas of each class against the rest, and the influence of every row on them.

    The variance of an area is that of the mean influence of the rows: DeLong, DeLong & Clarke-Pearson (1988),
    Biometrics 44:837-845, and between clusters of rows Obuchowski (1997), Biometrics 53:567-578.
    """

    def __init__(
        self, y: NDArray[np.int64], probabilities: Floats, clusters: NDArray[np.int64] | None, stratified: bool
    ) -> None:
        """Take the actual classes and probabilities of all rows, and the positions of their clusters, if any."""
        self.areas: dict[int, float] = {}
        self.variances: dict[int, float] = {}
        total = np.zeros(len(y))
        for place in shown_classes(probabilities.shape[1]):
            positive = y == place
            if positive.any() and not positive.all():
                area, influence = _influence(positive, probabilities[:, place])
                total += influence
                self.areas[place] = area
                self.variances[place] = variance(influence, positive.astype(np.int64), clusters, stratified=True)
        self.areas[-1] = sum(self.areas.values()) / len(self.areas)
        self.variances[-1] = variance(total / (len(self.areas) - 1), y, clusters, stratified)

    def interval(self, place: int | None, confidence: float) -> Interval:
        """Return the interval of the area of a class, or of the mean of all."""
        key = place if place in self.areas else -1  # of two classes, both have the same
        ends = normal(self.areas[key], math.sqrt(self.variances[key]), confidence)
        return Interval(max(ends.low, 0.0), min(ends.high, 1.0))


def _influence(positive: NDArray[np.bool_], scores: Floats) -> tuple[float, Floats]:
    """Return the area, and the influence of each row on it (rows,), whose variance / rows is that of the area."""
    positives_below, others_below = counts_below(positive, scores)
    positives = int(np.count_nonzero(positive))
    others = len(positive) - positives
    area = float(others_below[positive].mean()) / others
    influence: Floats = np.where(
        positive, (others_below / others - area) / positives, (1 - positives_below / positives - area) / others
    )
    return area, influence * len(scores)


def variance(values: Floats, strata: NDArray[np.int64], clusters: NDArray[np.int64] | None, stratified: bool) -> float:
    """Return the variance of the mean of values (rows,); the other arguments as in `sampling.Rows`."""
    if clusters is not None:
        return variance_between(sum_by_cluster(values, clusters), sum_by_cluster(np.ones(len(values)), clusters))
    rows = np.bincount(strata)
    sums, squares = (np.bincount(strata, each).astype(np.float64) for each in (values, values**2))
    return variance_of_mean(rows, sums, squares, stratified)
