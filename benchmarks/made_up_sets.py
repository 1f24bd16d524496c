"""Made-up test sets of two models whose true metrics are known.

benchmarks/intervals.py and benchmarks/promises.py use them.

The scores of a row are normal, higher by a distance for its own class. The rows of a cluster share
a part of the variance of their scores.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from textclf.artifacts.predictions import Predictions
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.intervals import normal_quantile
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_clusters import positions
from textclf.evaluate.split_metrics import SplitMetrics

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Sizes = Callable[[int, np.random.Generator], Ints]

LEVEL = 0.05
WIDTH = 2 * 1.959964  # of an ideal interval, in standard deviations of the estimate
TINY = 1e-6  # standard deviation of an estimate that no set changes
OVERCONFIDENT = 1.5  # by what the logits of both models are too large
ALIKE = 0.7  # correlation of the noise of the two models
TOGETHER = 0.3  # of the variance of the scores of several labels is common to the labels of a row
LABELS = (
    0.02,
    0.03,
    0.05,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
)  # shares of the rows that have each of several labels
LARGEST = 200  # rows of a cluster of heavy-tailed sizes
# Probabilities from which true values are computed, of at least as many rows as in `FEWEST`.
TRUTH = 2_000_000
FEWEST = 200_000


@dataclass(frozen=True)
class Kind:
    """A kind of test set.

    `accuracy` is that of the first model for equally frequent classes, or for a label that half of
    the rows have; the distance of the second one is `second` times its own. `sizes` draws the
    numbers of rows of the clusters for about so many rows, None if the rows are independent;
    `correlation` is that of scores within a cluster, whose rows have one class if it is `uniform`.
    The distance falls with the size of the cluster to the power of `harder`, and from the first
    class to the last by `uneven` times its mean. A share `wrong` of the rows has the label of
    another class. `shares` are those of the classes or, if `several`, of labels. The rows of a
    cluster have the same labels; what else they share makes each label more or less probable or, if
    they are `difficult`, all labels right or wrong together.
    """

    name: str
    rows: int
    accuracy: float = 0.8
    shares: tuple[float, ...] = (0.5, 0.5)
    stratified: bool = False
    sizes: Sizes | None = None
    correlation: float = 0.0
    uniform: bool = False
    harder: float = 0.0
    uneven: float = 0.0
    second: float = 0.8
    wrong: float = 0.0
    several: bool = False
    difficult: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    sets: int = 1000


class Drawn(NamedTuple):
    """A test set: actual classes or labels, probabilities by model, and cluster keys.

    Classes and keys have the shape (rows,), labels (rows, labels).
    """

    y: NDArray[Any]
    outputs: dict[str, Floats]
    keys: NDArray[np.uint64]


@dataclass
class Tally:
    """The intervals of one statement: their ends and the estimates, minus the true value."""

    errors: list[float] = field(default_factory=list)
    ends: list[tuple[float, float]] = field(default_factory=list)
    contradicting: int = (
        0  # sets in which the interval excludes 0 and the p-value is above `LEVEL`, or neither
    )

    def add(self, value: float, entry: Mapping[str, float], true: float) -> None:
        """Count an interval, and the p-value beside it if there is one."""
        low, high = entry["low"], entry["high"]
        self.errors.append(value - true)
        self.ends.append((low - true, high - true))
        self.contradicting += "p" in entry and (low > 0 or high < 0) != (entry["p"] <= LEVEL)

    def summary(self, sets: int) -> dict[str, float]:
        """Return the shares of sets with an interval and of covering ones, and the mean width."""
        if (count := len(self.ends)) < 2:
            return {"stated": count / sets}
        ends, spread = np.array(self.ends), max(float(np.std(self.errors, ddof=1)), TINY)
        return {
            "stated": count / sets,
            "covered": float(((ends[:, 0] <= 1e-6) & (ends[:, 1] >= -1e-6)).mean()),
            "width": float((ends[:, 1] - ends[:, 0]).mean()) / (WIDTH * spread),
            "contradicting": self.contradicting / sets,
        }


def even(size: int) -> Sizes:
    """Return the sizes of clusters of so many rows each."""
    return partial(_even, size)


def _even(size: int, rows: int, _: np.random.Generator) -> Ints:
    return np.full(rows // size, size)


def half_single(rows: int, _: np.random.Generator) -> Ints:
    """Return sizes of which half are 1."""
    return np.tile([1, 9], rows // 10)


def giants(rows: int, generator: np.random.Generator) -> Ints:
    """Return the sizes of three clusters with 10, 6 and 4% of the rows, and of small ones."""
    return np.append(
        generator.integers(1, 4, 2 * rows // 5), [rows // 10, 3 * rows // 50, rows // 25]
    )


def heavy_tailed(rows: int, generator: np.random.Generator) -> Ints:
    """Return sizes that have Pareto's distribution, up to `LARGEST`."""
    return np.minimum(generator.pareto(1.2, rows // 4) + 1, LARGEST).astype(np.int64)


def grouped(
    name: str, sizes: Sizes, correlation: float, accuracy: float = 0.8, **others: Any
) -> Kind:
    """Return a kind of 2,000 rows with clusters of other sizes."""
    return Kind(
        f"2,000 rows, {name}", 2000, accuracy, sizes=sizes, correlation=correlation, **others
    )


@cache
def distance(accuracy: float, classes: int) -> float:
    """Return how far the score of the actual class is above the others, in standard deviations."""
    points = np.linspace(-8, 20, 4001)

    def excess(far: float) -> float:
        chance = stats.norm.pdf(points - far) * stats.norm.cdf(points) ** (classes - 1)
        return float(np.trapezoid(chance, points)) - accuracy

    low, high = 0.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return middle


def draw(kind: Kind, rows: int, generator: np.random.Generator) -> Drawn:
    """Return about so many rows: as many as their clusters have."""
    sizes = np.ones(rows, np.int64) if kind.sizes is None else kind.sizes(rows, generator)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    columns, shares = np.arange(len(kind.shares)), np.array(kind.shares)
    far = (
        math.sqrt(2) * normal_quantile(kind.accuracy)
        if kind.several
        else distance(kind.accuracy, len(shares))
    )
    if kind.several:
        limits = np.array([normal_quantile(1 - share) for share in kind.shares])
        y = (_of_labels(len(sizes), len(limits), generator) > limits).astype(np.int8)[clusters]
        sides = math.sqrt(0.5) * np.where(
            y == 1, 1.0, -1.0
        )  # of the log odds, which have one score instead of two
    elif kind.stratified:
        y = np.repeat(
            columns, np.diff(np.round(len(clusters) * np.cumsum([0.0, *shares])).astype(int))
        )
        sides = np.eye(len(shares))[y]
    else:
        y = generator.choice(columns, len(sizes) if kind.uniform else len(clusters), p=shares)
        y = y[clusters] if kind.uniform else y
        sides = np.eye(len(shares))[y]

    def noise() -> Floats:
        """Return noise relative to the actual class, so that clusters are hard or easy."""
        of_rows = (
            partial(_of_labels, columns=len(shares), generator=generator) if kind.several else None
        )
        made = [
            of_rows(count) if of_rows else generator.normal(size=(count, len(shares)))
            for count in (len(clusters), len(sizes) if kind.correlation else 0)
        ]
        if not kind.correlation:
            return made[0]
        relative = (
            columns[np.newaxis] if kind.several else (columns - y[:, np.newaxis]) % len(shares)
        )
        shared = np.take_along_axis(
            made[1][clusters], np.broadcast_to(relative, made[0].shape), axis=1
        )
        if kind.difficult:
            # One number per cluster, towards the right side of each label.
            shared = np.where(y == 1, shared[:, :1], -shared[:, :1])
        return math.sqrt(1 - kind.correlation) * made[0] + math.sqrt(kind.correlation) * shared

    first, second = noise(), noise()
    second = ALIKE * first + math.sqrt(1 - ALIKE**2) * second
    hard = (sizes[clusters] ** -kind.harder)[:, np.newaxis]
    if kind.uneven:
        hard = (
            hard
            * np.linspace(1 + kind.uneven / 2, 1 - kind.uneven / 2, len(shares))[y][:, np.newaxis]
        )
    outputs = {}
    for model, own, apart in (("b", second, kind.second * far), ("a", first, far)):
        scores = apart * (hard * apart * sides + own)
        if kind.several:
            odds = np.log(shares / (1 - shares)) + math.sqrt(2) * scores
            outputs[model] = 1 / (1 + np.exp(-OVERCONFIDENT * odds))
        else:
            outputs[model] = special.softmax(OVERCONFIDENT * (scores + np.log(shares)), axis=1)
    if kind.wrong:
        y = np.where(generator.random(len(y)) < kind.wrong, (y + 1) % len(shares), y)
    return Drawn(y, outputs, clusters.astype(np.uint64))


def _of_labels(rows: int, columns: int, generator: np.random.Generator) -> Floats:
    """Return standard normal numbers (rows, columns) that are correlated within rows."""
    common, own = generator.normal(size=(rows, 1)), generator.normal(size=(rows, columns))
    return np.asarray(math.sqrt(TOGETHER) * common + math.sqrt(1 - TOGETHER) * own)


def population(kind: Kind, generator: np.random.Generator, rows: int | None = None) -> Drawn:
    """Return a very large sample: of rows of clusters, unless these are like any others."""
    rows = max(FEWEST, TRUTH // len(kind.shares)) if rows is None else rows
    return draw(
        replace(kind, stratified=False, sizes=kind.sizes if kind.harder else None), rows, generator
    )


def predictions(kind: Kind, drawn: Drawn) -> dict[str, Predictions]:
    """Return the predictions by model."""
    rows, classes = len(drawn.y), tuple(map(str, range(len(kind.shares))))
    ids, split = np.zeros(rows, dtype=object), np.full(rows, "test", dtype=object)
    return {
        name: Predictions(ids, split, drawn.y, output, classes)
        for name, output in drawn.outputs.items()
    }


def measured(kind: Kind, drawn: Drawn, **settings: Any) -> SplitMetrics:
    """Return the metrics of the rows, as the stage evaluate has them."""
    evaluate = Evaluate.model_validate({**kind.settings, **settings})
    models = predictions(kind, drawn)
    decisions = {
        name: choose_decision(rows.take(slice(0)), evaluate) for name, rows in models.items()
    }
    clusters = positions(drawn.keys) if kind.sizes else None
    return SplitMetrics("test", models, decisions, evaluate, kind.stratified, clusters)
