"""Metrics of the order of the rows by probability of a class: ROC AUC, average precision."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from textclf.evaluate.clusters import FEW, TINY
from textclf.evaluate.intervals import Interval, normal_quantile, on_odds_scale, wilson
from textclf.evaluate.metrics.metric import Fewest, Metric, is_mixed, margin
from textclf.evaluate.rows import Bools, Floats, Ints, JudgedRows, shown_classes

# Rows that are added where the variance of an area is estimated.
ADDED = 0.25
# The fewest rows of the rarer side of each class, over all classes, to compare areas.
FEW_OF_AREA = 15
# The fewest of these that rank wrongly, to compare areas.
OUT_OF_ORDER = 2


class Rank(Metric):
    """A mean over the classes of a number that depends on the order of the rows.

    They are ordered by their probability of the class.
    """

    @abstractmethod
    def of_class(self, positive: Bools, scores: Floats) -> float:
        """Return the metric of a class, of which there are rows and others."""

    @abstractmethod
    def influence_on_class(self, positive: Bools, scores: Floats) -> Floats:
        """Return the influence of each row on the metric of a class (rows,)."""

    def of_classes(self, rows: JudgedRows) -> Floats:
        """Return the metric of each class; NaN without rows on both sides.

        The two values of a binary task are the same.
        """
        values = []
        for place in _places(rows):
            positive, scores = rows.is_actual(place), rows.probabilities[:, place]
            values.append(self.of_class(positive, scores) if is_mixed(positive) else np.nan)
        by_class = np.array(values)
        return np.broadcast_to(by_class, rows.classes) if rows.binary else by_class

    def value(self, rows: JudgedRows) -> float:
        """Return the mean, of labels over those with a value.

        NaN if no label has a value, or a class has no rows.
        """
        by_class = rows.once(self.of_classes)
        if rows.multilabel:
            return float(np.nanmean(by_class)) if np.isfinite(by_class).any() else math.nan
        return float(by_class[[*_places(rows)]].mean()) if rows.counts.actual.all() else math.nan

    def influence(self, rows: JudgedRows, place: int | None = None) -> Floats:
        places = _places(rows) if place is None or rows.binary else [place]
        sides = [(rows.is_actual(each), rows.probabilities[:, each]) for each in places]
        if rows.multilabel:  # the mean is over the labels with a value
            sides = [side for side in sides if is_mixed(side[0])]
        return np.asarray(np.mean([self.influence_on_class(*side) for side in sides], axis=0))


class Area(Rank):
    """The ROC AUC, with DeLong's variance.

    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845.
    """

    symmetric: ClassVar[bool] = True

    @property
    def fewest(self) -> Fewest:
        return Fewest(FEW, FEW, FEW)

    def of_class(self, positive: Bools, scores: Floats) -> float:
        own, others = np.sort(scores[positive]), np.sort(scores[~positive])
        below, up_to = (np.searchsorted(others, own, side) for side in ("left", "right"))
        return float((below + up_to).mean() / 2 / len(others))

    def influence_on_class(self, positive: Bools, scores: Floats) -> Floats:
        """Return the influence of each row on the area, 0 without rows on both sides."""
        positives = int(np.count_nonzero(positive))
        others = len(positive) - positives
        if not positives or not others:
            return np.zeros(len(positive))
        positives_below, others_below = counts_below(positive, scores)
        area = float(others_below[positive].mean()) / others
        # For each row, the share of the rows of the class with a higher score.
        above = 1 - positives_below / positives
        of_positives = (others_below / others - area) / positives
        of_others = (above - area) / others
        influences: Floats = np.where(positive, of_positives, of_others)
        return influences * len(positive)

    def has_few_rows(self, rows: JudgedRows, place: int | None = None) -> bool:
        """Return whether a class of a mean is rare; decisions, so mistakes, have no influence."""
        return place is None and self.has_rare_classes(rows)

    def margin(
        self,
        rows: JudgedRows,
        influences: Floats,
        rare: Bools,
        confidence: float,
        place: int | None = None,
    ) -> float:
        """Return half the length of the interval.

        That of a class adds the variances of its rows and of the others.
        """
        place = 1 if rows.binary else place
        strata = None
        if place is not None and rows.clusters is None:
            strata = rows.is_actual(place).astype(np.int64)
        return margin(rows, influences, rare, confidence, strata)

    def differing(self, a: JudgedRows, b: JudgedRows, differences: Floats) -> Bools | None:
        """Return the rows of the rarest class, None if too few rows rank wrongly.

        There must be `FEW_OF_AREA` rows, or clusters, of the rarer side of each class, over all
        classes, and `OUT_OF_ORDER` if these are multiplied by the distance of both areas together
        from 1.
        """
        sides = map(a.is_actual, _places(a))
        rarer = sum(min(a.independent(side), a.independent(~side)) for side in sides)
        distance = 2 - a.once(self.value) - b.once(self.value)
        if rarer < FEW_OF_AREA or rarer * distance < OUT_OF_ORDER:
            return None
        return _rarest(a, _places(a))

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        places = [*_places(rows)] if place is None else [place]
        return self.interval_of(rows, rows.once(self.of_classes)[places], places, confidence)

    def interval_of(
        self, rows: JudgedRows, areas: Floats, places: Sequence[int], confidence: float
    ) -> Interval | None:
        """Return the interval of the area of a class, or of the mean over some classes.

        None if one of these is rare. `areas` and `places` (classes,). It is Wilson's interval of a
        share as variable as the area, by DeLong's variance with `ADDED` / classes^2 rows more on
        either side of each class that rank above half of the other side; so it has a width even if
        the area is 1.
        """
        number, place = len(places), places[0] if len(places) == 1 else None
        if self.has_few_rows(rows, place):
            return None
        influences, sides = self.influence(rows, place), map(rows.is_actual, places)
        half = self.margin(rows, influences, _rarest(rows, places), confidence, place)
        variance = (half / normal_quantile((1 + confidence) / 2)) ** 2
        # The effective rows per row of a cluster.
        worth = min(float(influences.var()) / len(rows) / max(variance, TINY**2), 1.0)
        counts = [
            [max(rows.independent(members), worth * members.sum()) for members in (side, ~side)]
            for side in sides
        ]
        own, others = np.array(counts).T
        added = ADDED / number**2
        squares = (areas - 0.5) ** 2 * (1 / own**2 + 1 / others**2)
        variance += added * float(squares.sum()) / number**2
        shrunk = 0.5 + (areas - 0.5) * own / (own + added) * others / (others + added)
        effective = float(shrunk.mean() * (1 - shrunk.mean())) / max(variance, TINY**2)
        return wilson(float(areas.mean()) * effective, effective, confidence)


class AveragePrecision(Rank):
    """The average precision, as `average_precision_score` of scikit-learn has it."""

    def of_class(self, positive: Bools, scores: Floats) -> float:
        return float(precisions_at(positive, scores)[0][positive].mean())

    def influence_on_class(self, positive: Bools, scores: Floats) -> Floats:
        """Return the influence of each row on the average precision of a label, (rows,).

        Some rows must have the label. A row with the label changes the mean by its own precision.
        Every row changes the precision at each row with the label and at most its score, in
        proportion to 1 / the number of rows with at least that score.
        """
        precisions, above, rank = precisions_at(positive, scores)
        by_rows, by_precisions = (  # sums over the rows of the label with at most each score
            np.cumsum(np.bincount(rank, np.where(positive, each, 0))[::-1])[::-1][rank]
            for each in (1 / above, precisions / above)
        )
        own = np.where(positive, precisions - precisions[positive].mean(), 0)
        influences: Floats = own + np.where(positive, by_rows, 0) - by_precisions
        return influences * len(positive) / np.count_nonzero(positive)

    def _interval(self, rows: JudgedRows, confidence: float, place: int | None) -> Interval | None:
        """Return the interval of a label in log odds or, with few rows, Wilson's.

        The latter has the binomial variance of Boyd, Eng & Page (2013), ECML PKDD, 4.2.
        """
        place = 0 if place is None else place
        value = float(rows.once(self.of_classes)[place])
        if not self.has_few_rows(rows, place):
            half = self.margin(rows, self.influence(rows, place), rows.wrong, confidence, place)
            if half > TINY:
                return on_odds_scale(value, half)
        labelled = rows.independent(rows.is_actual(place))
        return wilson(value * labelled, labelled, confidence)


def _places(rows: JudgedRows) -> range:
    return shown_classes(rows.classes, rows.multilabel)


def _rarest(rows: JudgedRows, places: Sequence[int]) -> Bools:
    """Return which rows have the rarest of the classes at these places, (rows,)."""
    return min(map(rows.is_actual, places), key=rows.independent)


def counts_below(positive: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """Return for each row the numbers of rows of the class and of others with a lower score.

    Both are (rows,); ties count one half. The mean of the other rows below those of the class, as a
    share of the other rows, is the ROC AUC.
    """
    order = np.argsort(scores)  # ties in any order
    # The first row with each score; none if there are no rows.
    ranked = scores[order]
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))[: len(scores)]
    del ranked
    sizes = np.diff(first, append=len(scores))
    below = []
    for side in (positive, ~positive):
        counts = np.add.reduceat(side[order], first, dtype=np.int64)
        of_rows = np.empty(len(scores))
        of_rows[order] = np.repeat(np.cumsum(counts) - counts / 2, sizes)
        below.append(of_rows)
    return below[0], below[1]


def precisions_at(positive: Bools, scores: Floats) -> tuple[Floats, Ints, Ints]:
    """Return for each row the precision among the rows with at least its score, and their number.

    Both are (rows,). The third array is the rank of its score among the distinct ones, (rows,), 0
    for the highest. The mean of the precisions over the rows of the class is the average precision.
    """
    order = np.argsort(-scores)  # ties in any order
    # The last row with each score.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true, rows = np.cumsum(positive[order])[last], last + 1
    group = np.empty(len(scores), np.int64)
    group[order] = np.repeat(np.arange(len(last)), np.diff(rows, prepend=0))
    return (true / rows)[group], rows[group], group
