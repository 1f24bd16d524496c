"""Predictions for the tests of evaluation."""

from collections.abc import Collection
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.evaluate.intervals import Difference
from textclf.evaluate.measure import HeldOut, decide
from textclf.evaluate.measure import measure as measure_splits
from textclf.evaluate.registry import METRICS, measure, metrics_of
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.slices.membership import Membership
from textclf.evaluate.split_metrics import SplitMetrics

T = TypeVar("T")
Arrays = tuple[NDArray[Any], NDArray[np.float64], NDArray[Any]]

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.floats(0, 1)
HALF = Decision(0.5)
TOP = Decision()


def reference(name: str) -> Any:
    """Return a module of statsmodels, which checks textclf and is not part of it."""
    return pytest.importorskip(f"statsmodels.{name}")


def known(value: T | None) -> T:
    assert value is not None
    return value


def params(**changes: object) -> Evaluate:
    return Evaluate.model_validate(changes)


def sample(seed: int, rows: int = 60, classes: int = 2, digits: int = 2) -> Arrays:
    """Return actual classes, all present; probabilities with ties; the most probable classes."""
    generator = np.random.default_rng(seed)
    y = generator.permutation(
        np.concatenate([np.arange(classes), generator.integers(0, classes, rows - classes)])
    )
    raw = (
        np.round(generator.dirichlet(np.ones(classes), rows) + 0.4 * np.eye(classes)[y], digits)
        + 1e-3
    )
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return y, probabilities, probabilities.argmax(axis=1)


def sample_sets(seed: int, rows: int = 60, labels: int = 5, digits: int = 2) -> Arrays:
    """Return sets of labels, each label present and absent; probabilities; the labels above 0.5."""
    generator = np.random.default_rng(seed)
    shared = generator.normal(size=(rows, 1))
    odds = 2 * generator.normal(size=(rows, labels)) + shared - np.linspace(0, 2, labels)
    y = (odds + generator.logistic(size=(rows, labels)) > 0).astype(np.int8)
    y[0], y[1] = 1, 0
    probabilities = np.round(1 / (1 + np.exp(-odds)), digits)
    return y, probabilities, (probabilities > 0.5).astype(np.int8)


def measured(y: Any, probabilities: NDArray[np.float64], decided: Any) -> dict[str, Any]:
    """Return the metrics of the rows, and under `class_<name>` those of each class."""
    rows = JudgedRows(y, probabilities, decided)
    per_class = [metric for metric in metrics_of(rows.multilabel).values() if metric.per_class]
    return measure(rows) | {f"class_{metric.name}": metric.of_classes(rows) for metric in per_class}


def sets(y: Any, probabilities: Any, split: str = "test") -> Predictions:
    """Return predictions of rows with several labels: both are (rows, labels)."""
    y, probabilities = np.asarray(y, dtype=np.int8), np.asarray(probabilities, dtype=np.float64)
    ids = np.array([f"{split}:{number}" for number in range(len(y))], dtype=object)
    classes = tuple(f"l{number}" for number in range(y.shape[1]))
    return Predictions(ids, np.full(len(y), split, dtype=object), y, probabilities, classes)


def run_measured(
    models: dict[str, Any],
    settings: Evaluate,
    stratified: bool,
    clusters: dict[str, NDArray[np.int64]] | None = None,
    membership: Membership | None = None,
    held_out: HeldOut | None = None,
    baselines: Collection[str] = (),
) -> tuple[dict[str, SplitMetrics], dict[str, Decision]]:
    """Return the metrics of each split and the decision of each model, as the stage evaluate."""
    rows, decisions = decide(models, settings, clusters, membership, held_out, baselines)
    return measure_splits(rows, decisions, settings, stratified, clusters or {}), decisions


def halves(labels: int) -> Decision:
    return Decision(thresholds=(0.5,) * labels)


def predictions(
    y: Any, probabilities: Any, split: str = "test", classes: tuple[str, ...] | None = None
) -> Predictions:
    """Return predictions of these rows; `probabilities` are of each class, or of yes alone."""
    y, probabilities = np.asarray(y, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim == 1:
        classes, probabilities = ("no", "yes"), np.column_stack([1 - probabilities, probabilities])
    if classes is None:
        classes = tuple(f"c{number}" for number in range(probabilities.shape[1]))
    ids = np.array([f"{split}:{number}" for number in range(len(y))], dtype=object)
    return Predictions(ids, np.full(len(y), split, dtype=object), y, probabilities, classes)


def drawn(seed: int, rows: int = 90, classes: int = 3, split: str = "test") -> Predictions:
    return predictions(*sample(seed, rows, classes)[:2], split)


def overconfident(seed: int, rows: int = 80, split: str = "test") -> Predictions:
    """Return predictions, mostly correct and too confident; a third of the rows are positive."""
    generator = np.random.default_rng(seed)
    y = (np.arange(rows) % 3 == 0).astype(int)
    log_odds = 3 * generator.normal(2 * y - 1.2, 1.5)
    return predictions(y, 1 / (1 + np.exp(-log_odds)), split)


def three_splits(seed: int = 0) -> Predictions:
    parts = ("train", 80), ("validation", 40), ("test", 50)
    return concatenate(
        [overconfident(seed + n, rows, split) for n, (split, rows) in enumerate(parts)]
    )


def exact(
    models: dict[str, Predictions],
    decision: Decision = HALF,
    stratified: bool = False,
    clusters: NDArray[np.int64] | None = None,
    **changes: object,
) -> SplitMetrics:
    """Return the metrics of models on the same rows of the test split, all decided alike."""
    return SplitMetrics(
        "test", models, dict.fromkeys(models, decision), params(**changes), stratified, clusters
    )


def two_models(rows: int, classes: int = 2, sharpness: float = 1.0) -> dict[str, Predictions]:
    """Return predictions of two models with correlated scores; the sharper, the fewer mistakes."""
    generator = np.random.default_rng(0)
    y = generator.permutation(np.arange(rows) % classes)
    shared = generator.normal(size=(rows, classes))
    models = {}
    for name, signal in (("a", 1.6), ("b", 1.2)):
        noise = 0.8 * shared + 0.6 * generator.normal(size=shared.shape)
        scores = np.exp(sharpness * signal * np.eye(classes)[y] + noise)
        models[name] = predictions(y, scores / scores.sum(axis=1, keepdims=True))
    return models


def compared(part: SplitMetrics, metric: str) -> Difference | None:
    differences = METRICS[metric].compare(part.judged, [("a", "b"), ("b", "a")], 0.95)
    there, back = differences["a", "b"], differences["b", "a"]
    if there is not None:
        assert back is not None
        assert (back.difference, back.low, back.high) == pytest.approx(
            (-there.difference, -there.high, -there.low)
        )
    return there


def resampled(part: SplitMetrics, model: str, count: int = 400) -> dict[str, NDArray[np.float64]]:
    """Return each metric in bootstrap resamples of the rows, or of their clusters, (count,)."""
    rows, values = part.judged[model], []
    groups = np.arange(len(rows)) if rows.clusters is None else rows.clusters
    order, starts = (
        np.argsort(groups, kind="stable"),
        np.searchsorted(np.sort(groups), np.arange(groups.max() + 2)),
    )
    first = (
        rows.y[order[starts[:-1]]]
        if rows.stratified and not rows.multilabel
        else np.zeros(groups.max() + 1)
    )
    generator = np.random.default_rng(0)
    strata = [np.flatnonzero(first == each) for each in np.unique(first)]
    for _ in range(count):
        drawn_groups = np.concatenate(
            [generator.choice(stratum, len(stratum)) for stratum in strata]
        )
        chosen = np.concatenate([order[starts[each] : starts[each + 1]] for each in drawn_groups])
        values.append(measure(rows.take(chosen)))
    return {name: np.array([each[name] for each in values]) for name in values[0]}


# Decided yes, no, no, yes: one each of true positive, false negative, true negative, false
# positive.
FOUR = predictions([1, 1, 0, 0], [0.9, 0.4, 0.2, 0.6])
