"""The areas below the ROC curves of all classes, their variances and intervals."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from textclf.evaluate.clusters import few_clusters, sum_by_cluster, variance_between
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
        self.clusters = None if clusters is None else int(np.count_nonzero(np.bincount(clusters)))
        self.areas: dict[int, float] = {}
        self.variances: dict[int, float] = {}
        total = np.zeros(len(y))
        for place, area, influence in influences(y, probabilities):
            total += influence
            self.areas[place] = area
            self.variances[place] = variance(influence, (y == place).astype(np.int64), clusters, stratified=True)
        self.areas[-1] = sum(self.areas.values()) / len(self.areas)
        self.influence = total / (len(self.areas) - 1)  # on the mean of the areas, (rows,)
        self.variances[-1] = variance(self.influence, y, clusters, stratified)

    def interval(self, place: int | None, confidence: float) -> Interval:
        """Return the interval of the area of a class, or of the mean of all; a point if the area is 0 or 1.

        It is symmetric in the log odds of the area: Pepe (2003), The Statistical Evaluation of Medical Tests, 5.2.4.
        With clusters, the quantile is Student's, as in `clusters.few_clusters`.
        """
        key = place if place in self.areas else -1  # of two classes, both have the same
        area, error = self.areas[key], math.sqrt(self.variances[key] / self._few(confidence))
        if not 0 < area < 1:
            return Interval(area, area)
        return Interval(*special.expit(normal(special.logit(area), error / (area * (1 - area)), confidence)).tolist())

    def _few(self, confidence: float) -> float:
        return 1.0 if self.clusters is None else few_clusters(self.clusters, confidence)


def influences(y: NDArray[np.int64], probabilities: Floats) -> Iterator[tuple[int, float, Floats]]:
    """Yield each class that has rows, and other rows, with its area and the influence of each row on that (rows,).

    The variance of the influence / rows is that of the area. Of two classes, the positive one is yielded.
    """
    for place in shown_classes(probabilities.shape[1]):
        positive = y == place
        positives = int(np.count_nonzero(positive))
        others = len(y) - positives
        if positives and others:
            positives_below, others_below = counts_below(positive, probabilities[:, place])
            area = float(others_below[positive].mean()) / others
            above = 1 - positives_below / positives  # share of the class with a higher score than each row
            influence = np.where(positive, (others_below / others - area) / positives, (above - area) / others)
            yield place, area, influence * len(y)


def variance(values: Floats, strata: NDArray[np.int64], clusters: NDArray[np.int64] | None, stratified: bool) -> float:
    """Return the variance of the mean of values (rows,); the other arguments as in `sampling.Rows`."""
    if clusters is not None:
        return variance_between(sum_by_cluster(values, clusters), sum_by_cluster(np.ones(len(values)), clusters))
    rows = np.bincount(strata)
    sums, squares = (np.bincount(strata, each).astype(np.float64) for each in (values, values**2))
    return variance_of_mean(rows, sums, squares, stratified)
