"""Metrics, intervals, comparisons and curves of models, from their predictions alone.

A split of `EXACT` rows at most is measured row by row (`Rows`), a larger one by sums and histograms (`Sums`), which
need memory for a batch of rows only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts import predictions
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.progress import counted
from textclf.evaluate import statistics
from textclf.evaluate.histograms import Tally, thinned, thinned_by_recall
from textclf.params import Evaluate

HISTORY_COLUMNS = ("epoch", "split", "loss", "accuracy")  # of a training in epochs, as models record it

CLASS_METRICS = ("precision", "recall", "f1", "roc_auc")
EVEN = 0.5  # the threshold that makes no choice
EXACT = 20_000  # rows of a split that are measured one by one
CHOOSING = 2**24  # probabilities of validation rows that choices are made by

Calibrator = statistics.Temperature | statistics.Platt
Counts = tuple[NDArray[np.int64], NDArray[np.int64]]  # falsely and truly positive rows, as the threshold falls
Outputs = tuple[NDArray[np.int64], NDArray[np.float64]]  # as of `arrays`


def arrays(rows: pd.DataFrame) -> Outputs:
    """Positions of the labels among the classes (rows,), and the probabilities (rows, classes)."""
    names = predictions.classes(rows)
    return places(rows["label"], names), _table(rows)


# From probabilities to decisions


@dataclass(frozen=True)
class Choice:
    """How a model's rows are decided: the scaling of their probabilities, and the threshold of two classes."""

    scaling: Calibrator | None
    threshold: float | None

    def probabilities(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those of the rows (rows, classes), scaled."""
        return table if self.scaling is None else self.scaling.apply(table)

    def decided(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with their probabilities scaled and a column `decided`: see `decide`."""
        if self.scaling is not None:
            columns = [predictions.PREFIX + name for name in predictions.classes(rows)]
            scaled = self.probabilities(arrays(rows)[1])
            rows = rows.assign(**dict(zip(columns, scaled.T, strict=True)))
        return decide(rows, self.threshold)

    def content(self) -> dict[str, Any]:
        """The threshold and the parameters of the scaling, as far as there are any."""
        report: dict[str, Any] = {} if self.threshold is None else {"threshold": self.threshold}
        if self.scaling is not None:
            report |= {key: round(value, DIGITS) for key, value in asdict(self.scaling).items()}
        return report


def choose(classes: int, validation: Callable[[], Outputs], settings: Evaluate) -> Choice:
    """What `settings` ask for, chosen, where that takes rows, on the positions and probabilities of `validation`."""
    scaling: Calibrator | None = None
    if settings.calibration != "none":
        y, table = validation()
        if settings.calibration == "platt":
            if classes != 2:
                raise UserError(f"evaluate.calibration must be none or temperature for {classes} classes; got platt")
            scaling = statistics.fit_platt(y, table)
        else:
            scaling = statistics.fit_temperature(y, table)
    if classes > 2:  # a row belongs to the most probable one
        if settings.threshold != EVEN:
            raise UserError(f"evaluate.threshold must be {EVEN} for {classes} classes; got {settings.threshold}")
        return Choice(scaling, None)
    if isinstance(settings.threshold, float):
        return Choice(scaling, settings.threshold)
    y, table = validation()
    scores = Choice(scaling, None).probabilities(table)[:, -1]
    return Choice(scaling, statistics.choose_threshold(y, scores, settings.threshold, settings.target_precision))


def choices(pieces: Mapping[str, Iterable[pd.DataFrame]], settings: Evaluate) -> dict[str, Choice]:
    """The `Choice` of each model, from its rows piece by piece, read again where validation rows have a say."""
    return {
        name: choose(len(predictions.classes(next(iter(parts)))), partial(_validation, parts), settings)
        for name, parts in pieces.items()
    }


def decide(rows: pd.DataFrame, limit: float | None) -> pd.DataFrame:
    """The table with a column `decided`, the class that each row is taken for: see `statistics.decide`."""
    names = np.array(predictions.classes(rows), dtype=object)
    return rows.assign(decided=names[statistics.decide(arrays(rows)[1], limit)])


def _validation(pieces: Iterable[pd.DataFrame]) -> Outputs:
    """The validation rows as `arrays`: all, or every second, fourth, ... where `CHOOSING` probabilities are too few."""
    found: list[Outputs] = []
    step, place, held = 1, 0, 0
    for rows in pieces:
        chosen = rows[rows["split"] == "validation"]
        kept = chosen.iloc[-place % step :: step]
        place += len(chosen)
        if len(kept):
            found.append(arrays(kept))
            held += found[-1][1].size
        while held > CHOOSING:
            found = [(y[::2], table[::2]) for y, table in [_joined(found)]]
            step, held = 2 * step, found[0][1].size
    if not found:
        raise UserError("the predictions must hold validation rows to choose by; got none; run dvc repro")
    return _joined(found)


def _joined(parts: Sequence[Outputs]) -> Outputs:
    y, table = zip(*parts, strict=True)
    return np.concatenate(y), np.concatenate(table)


# From decisions to numbers


def metrics(rows: pd.DataFrame) -> dict[str, float]:
    """Metrics of the decided rows of one split.

    Accuracy, balanced accuracy, log loss (nats), ROC AUC, F1, precision and recall; Matthews' correlation
    coefficient (`mcc`); Brier score and expected calibration error (`ece`). With two classes F1, precision, recall
    and ROC AUC are those of the positive one, which is the last; with more they are means over the classes, each
    against the rest. What has nothing to be counted in is 0. What is not defined for the rows is left out: ROC AUC
    where they lack a class, balanced accuracy and mcc where they hold one alone.
    """
    y, probabilities = arrays(rows)
    once = np.ones((1, len(y)))
    return _rounded(statistics.weighted_metrics(y, probabilities, _positions(rows), once))


def _rounded(measured: statistics.Draws) -> dict[str, float]:
    return {name: round(float(value[0]), DIGITS) for name, value in measured.items() if value.ndim == 1}


def calibration(rows: pd.DataFrame) -> dict[str, float]:
    """Brier score and expected calibration error (`ece`) of the rows."""
    y, probabilities = arrays(rows)
    values = {
        "brier": statistics.brier(y, probabilities),
        "ece": statistics.calibration_error(y, probabilities),
    }
    return {name: round(value, DIGITS) for name, value in values.items()}


def resampled(models: Mapping[str, pd.DataFrame], settings: Evaluate, stratified: bool) -> dict[str, statistics.Draws]:
    """Each model's metrics in resamples of the decided rows of one split, for `intervals` and `by_class`.

    `models` have the same rows. `stratified` says whether the split holds the shares of the classes fixed; the
    resamples then do so too, and else do not.
    """
    return statistics.bootstrap(
        arrays(next(iter(models.values())))[0],
        {name: (arrays(rows)[1], _positions(rows)) for name, rows in models.items()},
        settings.seed,
        settings.resamples,
        stratified,
    )


def intervals(
    models: Mapping[str, pd.DataFrame], draws: Mapping[str, statistics.Draws], settings: Evaluate
) -> dict[str, dict[str, dict[str, float]]]:
    """Low and high end of the interval of each model's metrics, over the decided rows of one split.

    Wilson's for accuracy, the percentiles of the draws of `resampled` for the others. The calibration error has
    none: its bootstrap is biased (see `statistics.percentile`).
    """
    report = {}
    for name, rows in models.items():
        found = {
            metric: statistics.percentile(values, settings.confidence)
            for metric, values in draws[name].items()
            if values.ndim == 1 and metric != "ece"
        }
        found["accuracy"] = statistics.wilson(int(_right(rows).sum()), len(rows), settings.confidence)
        report[name] = _ends(found)
    return report


def _ends(found: Mapping[str, statistics.Interval]) -> dict[str, dict[str, float]]:
    return {metric: {"low": round(low, DIGITS), "high": round(high, DIGITS)} for metric, (low, high) in found.items()}


def by_class(rows: pd.DataFrame, draws: statistics.Draws, settings: Evaluate) -> pd.DataFrame:
    """A row a class against the rest, over the decided rows of one split of one model.

    `split`, `class`, `support` (its rows), and `precision`, `recall`, `f1` and `roc_auc`, each with the `_low` and
    `_high` of its interval: Wilson's for recall, the percentiles of the draws of `resampled` for the others. A class
    without rows has none of these, which are then NaN, and one without others has no `roc_auc`.
    """
    names = predictions.classes(rows)
    y, probabilities = arrays(rows)
    decided = _positions(rows)
    once = statistics.weighted_metrics(y, probabilities, decided, np.ones((1, len(y))))
    counts = np.bincount(y, minlength=len(names)), np.bincount(y[y == decided], minlength=len(names))

    def ends(metric: str, position: int) -> statistics.Interval:
        return statistics.percentile(draws[f"class_{metric}"][:, position], settings.confidence)

    return _by_class(rows["split"].iloc[0], names, once, *counts, ends, settings)


def _by_class(
    split: str,
    names: Sequence[str],
    once: statistics.Draws,
    support: NDArray[np.int64],
    right: NDArray[np.int64],
    ends: Callable[[str, int], statistics.Interval],
    settings: Evaluate,
) -> pd.DataFrame:
    """The table of `by_class`, from metrics, rows and rightly decided rows of each class, and other intervals."""
    table = []
    for position, name in enumerate(names):
        row = {"split": split, "class": name, "support": int(support[position])}
        for metric in CLASS_METRICS:
            value = once[f"class_{metric}"][0, position] if support[position] else np.nan
            low, high = np.nan, np.nan
            if metric == "recall" and support[position]:
                low, high = statistics.wilson(int(right[position]), int(support[position]), settings.confidence)
            elif np.isfinite(value):
                low, high = ends(metric, position)
            row |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
        table.append(row)
    return pd.DataFrame(table)


def best_model(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str | None:
    """The model with the highest accuracy on the validation rows; of equals the one with the lower log loss there.

    None without validation rows: the test rows choose nothing.
    """
    judged = {name: splits["validation"] for name, splits in measured.items() if "validation" in splits}
    return max(judged, key=lambda name: (judged[name]["accuracy"], -judged[name]["log_loss"]), default=None)


def default_model(
    named: str | None, measured: Mapping[str, Mapping[str, Mapping[str, float]]], models: Sequence[str]
) -> str:
    """The model that stands for a run: the one named, or the best on the validation rows, or else the last trained."""
    return named or best_model(measured) or models[-1]


def best(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """The metrics, by split, of the best model; empty where there is none."""
    name = best_model(measured)
    return {} if name is None else dict(measured[name])


def comparisons(
    models: Mapping[str, pd.DataFrame], settings: Evaluate, stratified: bool
) -> dict[str, dict[str, float]]:
    """Each pair of models on the same decided rows, under `<later>_vs_<earlier>`.

    `difference` in accuracy with the `low` and `high` of its bootstrap interval; `only_first`, `only_second`
    rows that one alone has right; `p` of McNemar's exact test, and `p_holm`, corrected for the number of
    pairs; `smallest_difference` that so many rows could show with 80% power, left out where none is large
    enough. `stratified`: see `intervals`.
    """
    found = {}
    for (earlier, ours), (later, theirs) in combinations(models.items(), 2):
        right = _right(theirs), _right(ours)
        difference = statistics.accuracy_difference(
            arrays(ours)[0], *right, settings.seed, settings.resamples, settings.confidence, stratified
        )
        found[f"{later}_vs_{earlier}"] = statistics.mcnemar(*right), difference, len(ours)
    return _compared(found, settings)


def _compared(
    found: Mapping[str, tuple[statistics.McNemar, statistics.Difference, int]], settings: Evaluate
) -> dict[str, dict[str, float]]:
    """What `comparisons` reports of the pairs' tests, differences and numbers of rows."""
    report: dict[str, dict[str, float]] = {}
    for pair, (test, difference, rows) in found.items():
        entry = {**asdict(difference), "only_first": test.only_a, "only_second": test.only_b, "p": test.p}
        discordant = (test.only_a + test.only_b) / rows
        smallest = statistics.smallest_difference(rows, discordant, settings.confidence)
        if smallest is not None:
            entry["smallest_difference"] = smallest
        report[pair] = entry
    adjusted = statistics.holm(np.array([entry["p"] for entry in report.values()]))
    return {
        pair: {key: round(value, DIGITS) for key, value in (entry | {"p_holm": float(p)}).items()}
        for (pair, entry), p in zip(report.items(), adjusted, strict=True)
    }


def _right(rows: pd.DataFrame) -> NDArray[np.bool_]:
    return (rows["label"] == rows["decided"]).to_numpy(dtype=bool)


def _positions(rows: pd.DataFrame) -> NDArray[np.int64]:
    return places(rows["decided"], predictions.classes(rows))


def places(labels: pd.Series, names: Sequence[str]) -> NDArray[np.int64]:
    """The position of each label among the names (rows,); `KeyError` if it is none of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array(labels, type=pa.string())
    found = pc.index_in(texts, value_set=pa.array(names, type=pa.string()))
    if found.null_count:
        raise KeyError(labels.iloc[pc.is_null(found).index(True).as_py()])
    positions: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return positions


# Curves


def confusion(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of classes: `actual`, `predicted`, `count`, and `share`, its part of the actual class's rows."""
    names = predictions.classes(rows)
    pairs = places(rows["label"], names) * len(names) + _positions(rows)
    return _confusion(names, np.bincount(pairs, minlength=len(names) ** 2).reshape(len(names), -1))


def _confusion(names: Sequence[str], counts: NDArray[np.int64]) -> pd.DataFrame:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "actual": np.repeat(names, len(names)),
            "predicted": np.tile(names, len(names)),
            "count": counts.ravel(),
            "share": shares.ravel(),
        }
    )


def roc(rows: pd.DataFrame) -> pd.DataFrame:
    """Corners of ROC curves: `class`, `false_positive_rate`, `true_positive_rate`, both ascending.

    One curve of two classes, of the positive one; of more a curve each, against the rest. A point midway between
    its neighbours is left out, as by scikit-learn's `roc_curve`. A rate is NaN where there is no row that it could be
    a share of.
    """
    return _roc({name: _positives(actual, scores) for name, actual, scores in _against_the_rest(rows)})


def _roc(counts: Mapping[str, Counts]) -> pd.DataFrame:
    tables = []
    for name, (false, true) in counts.items():
        corner = np.ones(len(true), dtype=bool)
        corner[1:-1] = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        rates = [_rates(np.append(0, counts[corner]), none=np.nan) for counts in (false, true)]
        tables.append(pd.DataFrame({"class": name, "false_positive_rate": rates[0], "true_positive_rate": rates[1]}))
    return pd.concat(tables)


def precision_recall(rows: pd.DataFrame) -> pd.DataFrame:
    """Points of precision-recall curves: `class`, `recall` ascending, `precision`; the curves as of `roc`.

    Each begins at no recall with a precision of 1. Of more than two points with one recall the first and the last are
    kept, as by scikit-learn's `precision_recall_curve`. Recall is 1 throughout where there is nothing to be found.
    """
    return _precision_recall({name: _positives(actual, scores) for name, actual, scores in _against_the_rest(rows)})


def _precision_recall(counts: Mapping[str, Counts]) -> pd.DataFrame:
    tables = []
    for name, (every_false, every_true) in counts.items():
        end = np.ones(len(every_true), dtype=bool)
        end[1:-1] = (np.diff(every_true[:-1]) != 0) | (np.diff(every_true[1:]) != 0)
        false, true = every_false[end], every_true[end]
        recall, precision = _rates(true, none=1.0), true / (true + false)
        points = {"recall": np.append(0.0, recall), "precision": np.append(1.0, precision)}
        tables.append(pd.DataFrame({"class": name, **points}))
    return pd.concat(tables)


def _positives(actual: NDArray[np.bool_], scores: NDArray[np.float64]) -> Counts:
    """How many rows are falsely and truly positive, as the threshold falls to each distinct score (scores,)."""
    falling = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[falling])), len(scores) - 1)  # row of each score
    true = np.cumsum(actual[falling])[last]
    return last + 1 - true, true


def _rates(counts: NDArray[np.int64], none: float) -> NDArray[np.float64]:
    """The counts as shares of the last one, which is all there are; `none` where there are none."""
    return counts / counts[-1] if counts[-1] else np.full(len(counts), none)


def reliability(rows: pd.DataFrame, settings: Evaluate) -> pd.DataFrame:
    """A row a bin of confidence, as `statistics.reliability` has it."""
    return _reliability(statistics.reliability(*arrays(rows), confidence=settings.confidence))


def _reliability(bins: Sequence[statistics.Bin]) -> pd.DataFrame:
    return pd.DataFrame([asdict(found) for found in bins])


def _against_the_rest(rows: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.float64]]]:
    """Name, which rows are of it, and its probabilities, of each class, or of two of the positive one."""
    y, probabilities = arrays(rows)
    names = predictions.classes(rows)
    for position, name in enumerate(names):
        if len(names) > 2 or position == 1:
            yield name, y == position, probabilities[:, position]


def stacked(tables: Mapping[str, pd.DataFrame], columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """The tables of the models below one another, behind a column `model`; `columns` if there is no table."""
    if not tables:
        return pd.DataFrame(columns=["model", *columns])
    return pd.concat([table.assign(model=name)[["model", *table.columns]] for name, table in tables.items()])


def decisions(
    tables: Mapping[str, pd.DataFrame], settings: Evaluate
) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, Any]]]:
    """The decided rows of each model, and how they were decided.

    The second has, for each model, the `threshold` of two classes; where probabilities were scaled, the parameters
    of the scaling, and Brier score and calibration error of each split before it under `uncalibrated`.
    """
    decided: dict[str, pd.DataFrame] = {}
    report: dict[str, dict[str, Any]] = {}
    for name, choice in choices({name: [rows] for name, rows in tables.items()}, settings).items():
        rows = tables[name]
        decided[name] = choice.decided(rows)
        report[name] = choice.content()
        if choice.scaling is not None:
            report[name]["uncalibrated"] = {
                str(split): calibration(part) for split, part in rows.groupby("split", sort=False)
            }
    return decided, report


# Any number of rows


class Rows:
    """A split of few rows, measured one by one."""

    def __init__(
        self,
        raw: Mapping[str, pd.DataFrame],
        chosen: Mapping[str, Choice],
        settings: Evaluate,
        stratified: bool,
    ) -> None:
        """Decide the rows of each model."""
        self.raw, self.settings, self.stratified = raw, settings, stratified
        self.models = {name: chosen[name].decided(rows) for name, rows in raw.items()}
        self.draws = resampled(self.models, settings, stratified)

    def metrics(self, name: str) -> dict[str, float]:
        """As the function `metrics`."""
        return metrics(self.models[name])

    def intervals(self, name: str) -> dict[str, dict[str, float]]:
        """As the function `intervals`."""
        return intervals({name: self.models[name]}, self.draws, self.settings)[name]

    def by_class(self, name: str) -> pd.DataFrame:
        """As the function `by_class`."""
        return by_class(self.models[name], self.draws[name], self.settings)

    def comparisons(self) -> dict[str, dict[str, float]]:
        """As the function `comparisons`."""
        return comparisons(self.models, self.settings, self.stratified)

    def confusion(self, name: str) -> pd.DataFrame:
        """As the function `confusion`."""
        return confusion(self.models[name])

    def roc(self, name: str) -> pd.DataFrame:
        """As the function `roc`."""
        return roc(self.models[name])

    def precision_recall(self, name: str) -> pd.DataFrame:
        """As the function `precision_recall`."""
        return precision_recall(self.models[name])

    def reliability(self, name: str) -> pd.DataFrame:
        """As the function `reliability`."""
        return reliability(self.models[name], self.settings)

    def uncalibrated(self, name: str) -> dict[str, float]:
        """As `calibration`, of the probabilities before they were scaled."""
        return calibration(self.raw[name])


class Sums:
    """A split of many rows, measured by sums and histograms of them, batch by batch.

    What follows from counts and sums is exact. Intervals of accuracy and recall are Wilson's; of what else follows
    from the confusion matrix, and of differences, the percentiles of resamples of its cells (`statistics.redrawn`);
    of log loss, Brier score and ROC AUC those of a normal distribution (`Tally.means`).
    """

    def __init__(
        self, split: str, names: Sequence[str], chosen: Mapping[str, Choice], settings: Evaluate, stratified: bool
    ) -> None:
        """Begin with no rows."""
        self.split, self.names, self.chosen, self.settings, self.stratified = split, names, chosen, settings, stratified
        self.tallies = {name: Tally(len(names)) for name in chosen}
        self.raw = {name: Tally(len(names)) for name, choice in chosen.items() if choice.scaling is not None}
        self.drawn: dict[str, statistics.Draws] = {}
        # Of each pair, rows by actual class and by whether none, the earlier, the later or both have them right.
        self.pairs = {pair: np.zeros((len(names), 4), dtype=np.int64) for pair in combinations(chosen, 2)}

    def add(self, batches: Mapping[str, pd.DataFrame]) -> None:
        """Take in the same rows of each model."""
        right = {}
        y = places(next(iter(batches.values()))["label"], self.names)
        for name, rows in batches.items():
            table = _table(rows)
            if name in self.raw:
                self.raw[name].add(y, table, table.argmax(axis=1))
            scaled = self.chosen[name].probabilities(table)
            decided = statistics.decide(scaled, self.chosen[name].threshold)
            self.tallies[name].add(y, scaled, decided)
            right[name] = decided == y
        for earlier, later in self.pairs:
            kinds = 4 * y + right[earlier] + 2 * right[later]
            self.pairs[earlier, later] += np.bincount(kinds, minlength=4 * len(self.names)).reshape(-1, 4)

    def add_influences(self, batches: Mapping[str, pd.DataFrame]) -> None:
        """Take in the same rows again, as `Tally.add_influences` wants of more than two classes."""
        y = places(next(iter(batches.values()))["label"], self.names)
        for name, rows in batches.items():
            self.tallies[name].add_influences(y, self.chosen[name].probabilities(_table(rows)))

    def metrics(self, name: str) -> dict[str, float]:
        """As the function `metrics`."""
        return _rounded(self.tallies[name].metrics())

    def intervals(self, name: str) -> dict[str, dict[str, float]]:
        """As the function `intervals`."""
        tally, confidence = self.tallies[name], self.settings.confidence
        found = tally.means(confidence, self.stratified) | {
            metric: statistics.percentile(values, confidence)
            for metric, values in self._draws(name).items()
            if values.ndim == 1
        }
        found["accuracy"] = statistics.wilson(int(tally.confusion.trace()), tally.rows, confidence)
        return _ends(found)

    def by_class(self, name: str) -> pd.DataFrame:
        """As the function `by_class`."""
        tally, confidence = self.tallies[name], self.settings.confidence
        draws = self._draws(name)

        def ends(metric: str, position: int) -> statistics.Interval:
            if metric == "roc_auc":
                return tally.area_interval(position, confidence)
            return statistics.percentile(draws[f"class_{metric}"][:, position], confidence)

        counts = tally.support, tally.confusion.diagonal()
        return _by_class(self.split, self.names, tally.metrics(), *counts, ends, self.settings)

    def _draws(self, name: str) -> statistics.Draws:
        if name not in self.drawn:
            self.drawn[name] = self.tallies[name].draws(self.settings.seed, self.settings.resamples, self.stratified)
        return self.drawn[name]

    def comparisons(self) -> dict[str, dict[str, float]]:
        """As the function `comparisons`."""
        found = {}
        for (earlier, later), cells in self.pairs.items():
            _, ours, theirs, _ = cells.sum(axis=0).tolist()
            rows = int(cells.sum())
            redrawn = statistics.redrawn(cells, self.settings.seed, self.settings.resamples, self.stratified)
            draws = (
                np.concatenate([table[:, :, 2].sum(axis=1) - table[:, :, 1].sum(axis=1) for table in redrawn]) / rows
            )
            ends = statistics.percentile(draws, self.settings.confidence)
            difference = statistics.Difference((theirs - ours) / rows, *ends)
            found[f"{later}_vs_{earlier}"] = statistics.mcnemar_of_counts(theirs, ours), difference, rows
        return _compared(found, self.settings)

    def confusion(self, name: str) -> pd.DataFrame:
        """As the function `confusion`."""
        return _confusion(self.names, self.tallies[name].confusion)

    def roc(self, name: str) -> pd.DataFrame:
        """As the function `roc`."""
        return _roc(dict(self._falling(name, thinned)))

    def precision_recall(self, name: str) -> pd.DataFrame:
        """As the function `precision_recall`."""
        return _precision_recall(dict(self._falling(name, thinned_by_recall)))

    def _falling(
        self, name: str, kept: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]
    ) -> Iterator[tuple[str, Counts]]:
        for position, histogram in self.tallies[name].scores.items():
            false, true = histogram.falling()
            places = kept(false, true)
            yield self.names[position], (false[places], true[places])

    def reliability(self, name: str) -> pd.DataFrame:
        """As the function `reliability`."""
        return _reliability(self.tallies[name].reliability(self.settings.confidence))

    def uncalibrated(self, name: str) -> dict[str, float]:
        """As `calibration`, of the probabilities before they were scaled."""
        found = _rounded(self.raw[name].metrics())
        return {metric: found[metric] for metric in ("brier", "ece")}


def _table(rows: pd.DataFrame) -> NDArray[np.float64]:
    """The probabilities (rows, classes)."""
    return rows[[predictions.PREFIX + name for name in predictions.classes(rows)]].to_numpy(dtype=np.float64)


Measured = Rows | Sums


class Batches:
    """The predictions in a file, batch by batch, as often as they are iterated over."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self.path = path

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """The batches in order."""
        return predictions.batches(self.path)


def open_models(folder: Path, names: tuple[str, ...]) -> dict[str, Batches]:
    """The predictions of each model in a folder, as `predictions.paths` finds them, not yet read."""
    return {name: Batches(path) for name, path in predictions.paths(folder, names).items()}


class Decided:
    """The test rows of predictions, decided as chosen, batch by batch, as often as they are iterated over."""

    def __init__(self, batches: Iterable[pd.DataFrame], choice: Choice) -> None:
        """Keep both."""
        self.batches, self.choice = batches, choice

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """The batches in order, those of other splits empty."""
        for rows in self.batches:
            yield self.choice.decided(rows[rows["split"] == "test"])


def together(models: Mapping[str, Iterable[pd.DataFrame]]) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Each split and the same rows of it of each model, batch by batch, in order.

    `UserError` where the models do not have the same rows.
    """
    must = "the predictions of all models must be of the same rows in the same batches"
    try:
        for batch in zip(*models.values(), strict=True):
            first = batch[0]
            for name, rows in zip(models, batch, strict=True):
                if any(not rows[column].equals(first[column]) for column in ("id", "split", "label")):
                    raise UserError(f"{must}; {name} has others than {next(iter(models))}; run dvc repro")
            found = first["split"].unique()
            for split in found:
                # Each row group of a large run is of one split, and is not copied.
                chosen = slice(None) if len(found) == 1 else first["split"] == split
                yield str(split), {name: rows[chosen] for name, rows in zip(models, batch, strict=True)}
    except ValueError as error:  # of zip: one ends before the others
        raise UserError(f"{must}; one has more than another; run dvc repro") from error


def measure(
    models: Mapping[str, Iterable[pd.DataFrame]], settings: Evaluate, stratified: bool
) -> tuple[dict[str, Measured], dict[str, dict[str, Any]]]:
    """Each split measured, and how each model's rows were decided, as `decisions` has it.

    `models` have their predictions batch by batch, and are gone over more than once.
    """
    chosen = choices(models, settings)
    kept: defaultdict[str, list[dict[str, pd.DataFrame]]] = defaultdict(list)
    rows: defaultdict[str, int] = defaultdict(int)
    large: dict[str, Sums] = {}
    for split, batch in counted(together(models), "predictions measured", unit="part"):
        first = next(iter(batch.values()))
        rows[split] += len(first)
        kept[split].append(batch)
        if split not in large and rows[split] > EXACT:
            large[split] = Sums(split, predictions.classes(first), chosen, settings, stratified)
        if split in large:
            for part in kept[split]:
                large[split].add(part)
            kept[split].clear()
    if large and len(predictions.classes(first)) > 2:
        for split, batch in counted(together(models), "areas of classes measured", unit="part"):
            if split in large:
                large[split].add_influences(batch)
    measured: dict[str, Measured] = {}
    for split, parts in kept.items():
        if split in large:
            measured[split] = large[split]
        else:
            raw = {name: pd.concat([part[name] for part in parts]) for name in models}
            measured[split] = Rows(raw, chosen, settings, stratified)
    report = {name: choice.content() for name, choice in chosen.items()}
    for name, choice in chosen.items():
        if choice.scaling is not None:
            report[name]["uncalibrated"] = {split: part.uncalibrated(name) for split, part in measured.items()}
    return measured, report
