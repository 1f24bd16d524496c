"""Differences of metrics between two models: intervals against resamples, DeLong's formula and the paired t test."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.metrics import MEASURED
from tests.unit.evaluate.samples import HALF, TOP, exact, predictions, resampled
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.comparisons import Difference
from textclf.evaluate.influence import compare_metric, influence, is_few, margin, on_scale
from textclf.evaluate.intervals import Interval
from textclf.evaluate.metrics import log_losses, point_values
from textclf.evaluate.split_metrics import COMPARED, SplitMetrics

Clusters = NDArray[np.int64] | None


def two_models(rows: int, classes: int = 2, sharpness: float = 1.0) -> dict[str, Predictions]:
    """Return the predictions of two models with correlated scores; the sharper, the fewer mistakes."""
    generator = np.random.default_rng(0)
    y = generator.permutation(np.arange(rows) % classes)
    shared = generator.normal(size=(rows, classes))
    models = {}
    for name, signal in (("a", 1.6), ("b", 1.2)):
        noise = 0.8 * shared + 0.6 * generator.normal(size=shared.shape)
        scores = np.exp(sharpness * signal * np.eye(classes)[y] + noise)
        models[name] = predictions(y, scores / scores.sum(axis=1, keepdims=True))
    return models


def copies(models: dict[str, Predictions], times: int) -> tuple[dict[str, Predictions], NDArray[np.int64]]:
    """Return every row so many times, and the clusters of the copies."""
    clusters = np.repeat(np.arange(len(models["a"])), times)
    return {name: rows.take(clusters) for name, rows in models.items()}, clusters


def compared(part: SplitMetrics, metric: str) -> Difference | None:
    values = {name: float(part.values[name][metric][0]) for name in ("a", "b")}
    found = compare_metric(part.of_rows, metric, values, [("a", "b"), ("b", "a")], 0.95)
    there, back = found["a", "b"], found["b", "a"]
    if there is not None:
        assert back is not None
        assert (back.difference, back.low, back.high) == pytest.approx((-there.difference, -there.high, -there.low))
    return there


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("stratified", "times"), [(True, 1), (False, 1), (False, 3)])
def test_differences_are_as_uncertain_as_in_paired_resamples(classes: int, stratified: bool, times: int) -> None:
    models, clusters = copies(two_models(900 // times, classes), times)
    part = exact(models, TOP, stratified, clusters if times > 1 else None)
    draws = [resampled(part, name) for name in models]
    for metric in (name for name, metric in MEASURED.items() if metric.interval and name != "accuracy"):
        found = compared(part, metric)
        assert found is not None
        assert found.high - found.low == pytest.approx(2 * 1.96 * (draws[0][metric] - draws[1][metric]).std(), rel=0.12)
        assert found.difference == pytest.approx(part.metrics("a")[metric] - part.metrics("b")[metric], abs=2e-6)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("metric", ["precision", "recall", "f1", "balanced_accuracy", "mcc"])
def test_the_influence_is_the_change_of_a_metric_by_one_more_row(classes: int, metric: str) -> None:
    rows = exact(two_models(600, classes), TOP).of_rows
    y, probabilities, decided = rows.y, rows.probabilities["a"], rows.decided["a"]
    value = point_values(y, probabilities, decided)[metric][0]
    found = influence(rows, "a", metric)
    for row in range(20):
        one = np.append(np.arange(len(rows)), row)
        change = (point_values(y[one], probabilities[one], decided[one])[metric][0] - value) * (len(rows) + 1)
        assert found[row] - found.mean() == pytest.approx(change, abs=0.02), row


def test_a_class_has_the_influence_on_its_own_metrics() -> None:
    rows = exact(two_models(600, 4), TOP).of_rows
    for metric in ("precision", "recall", "f1", "roc_auc"):
        of_classes = [influence(rows, "a", metric, place) for place in range(4)]
        assert np.mean(of_classes, axis=0) == pytest.approx(influence(rows, "a", metric), abs=1e-9)


def scaled(metric: str, value: float, half: float, classes: int = 2) -> Interval:
    found = on_scale(metric, value, half, classes)
    assert found is not None
    return found


def test_intervals_stay_within_the_range_of_the_metric() -> None:
    assert scaled("average_precision", 0.98, 0.1).high < 1
    assert scaled("log_loss", 0.6, 0.5).low > 0
    assert scaled("brier", 0.9, 0.5).high == 1
    assert 1.2 < scaled("brier", 1.2, 0.1, classes=3).high < scaled("brier", 1.2, 1.1, classes=3).high == 2
    assert on_scale("log_loss", 0.1, 0.11, 2) is None  # a few rows decide it
    for metric, value in (("log_loss", 0.5), ("ranking", 0.7)):
        assert scaled(metric, value, 0.001) == pytest.approx((value - 0.001, value + 0.001), abs=1e-5)


@pytest.mark.parametrize(("metric", "few"), [("log_loss", False), ("f1", True)])
def test_right_rows_are_counted_among_those_that_the_metric_is_of(metric: str, few: bool) -> None:
    y = np.repeat([0, 1], [400, 8])
    positive = np.where(np.arange(408) % 10 == 0, 0.9, 0.1)
    positive[-8:] = np.repeat([0.9, 0.1], [4, 4])  # four are right in the rare class, and 360 of the others
    assert is_few(exact({"a": predictions(y, positive)}).of_rows, "a", metric) == few


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(("metric", "fewest"), [("precision", 5), ("recall", 1), ("f1", 1), ("roc_auc", 5)])
def test_a_mean_over_classes_has_no_interval_if_one_of_them_is_rare(metric: str, fewest: int, clustered: bool) -> None:
    for rare in (fewest - 1, fewest):
        y = np.repeat(np.arange(3), [100 - rare, 100, rare if metric != "precision" else 50])
        decided = np.where(np.arange(len(y)) % 4 == 0, (y + 1) % 2, y)
        if metric == "precision":
            decided[-50:-rare], decided[-rare:] = 0, 2
        else:
            decided[0] = 2
        clusters = np.concatenate([np.arange(len(y) - 1), [len(y) - 2]]) if clustered else None  # the last two are one
        part = exact({"a": predictions(y, 0.1 + 0.7 * np.eye(3)[decided])}, TOP, clusters=clusters)
        assert (part.interval("a", metric) is not None) == (rare == fewest and (fewest == 1 or not clustered))
        assert part.interval("a", "balanced_accuracy") is not None
        assert part.interval("a", "mcc") is not None


@pytest.mark.parametrize("times", [1, 3])
def test_the_interval_of_an_area_does_not_depend_on_the_threshold(times: int) -> None:
    models = {name: rows.take((rows.y == 0) | (np.cumsum(rows.y) <= 16)) for name, rows in two_models(800).items()}
    copied, clusters = copies(models, times)
    parts = [exact(copied, Decision(each), clusters=clusters if times > 1 else None) for each in (0.02, 0.5, 0.999)]
    assert len({part.interval("a", "roc_auc") for part in parts}) == 1
    once, found = exact(models).interval("a", "roc_auc"), parts[0].interval("a", "roc_auc")
    assert once is not None
    assert found is not None
    assert [*found] == pytest.approx([*once], abs=0.15 * (once.high - once.low))  # copies tell nothing
    difference = compared(parts[0], "roc_auc")
    assert difference is not None
    assert all(compared(part, "roc_auc") == difference for part in parts)


def test_areas_of_few_rows_or_near_1_are_not_compared() -> None:
    models = two_models(800)
    for rows, known in ((14, False), (15, True)):
        few = {name: each.take((each.y == 0) | (np.cumsum(each.y) <= rows)) for name, each in models.items()}
        assert (compared(exact(few), "roc_auc") is not None) == known
    ordered = predictions(models["a"].y, 0.1 + 0.8 * models["a"].y)
    assert compared(exact(models | {"a": ordered}), "roc_auc") is not None
    last = {"a": ordered, "b": predictions(ordered.y, np.where(np.arange(800) < 1, 0.5, ordered.probabilities[:, 1]))}
    assert compared(exact(last), "roc_auc") is None  # one row ranks wrongly


@pytest.mark.parametrize(("rows", "distance"), [((10, 240), 1.8), ((20, 980), 2.3), ((40, 60), 1.2)])
def test_the_interval_of_an_area_covers_the_truth(rows: tuple[int, int], distance: float) -> None:
    generator, inside = np.random.default_rng(2), []
    y = np.repeat([1, 0], rows)
    for _ in range(300):
        scores = distance * y + generator.normal(size=len(y)) * (1 + y)  # twice as wide in the class: harder
        ends = exact({"a": predictions(y, 1 / (1 + np.exp(-scores)))}).interval("a", "roc_auc")
        assert ends is not None
        inside.append(ends.low <= stats.norm.cdf(distance / np.sqrt(5)) <= ends.high)
    assert 0.91 < np.mean(inside) < 0.99


def test_single_rows_of_classes_vary_as_one_class() -> None:
    y = np.concatenate([np.arange(100), np.full(100, 100)])
    rows = exact(
        {"a": predictions(y, np.random.default_rng(1).dirichlet(np.ones(101), 200))}, TOP, stratified=True
    ).of_rows
    losses = log_losses(y, rows.probabilities["a"])
    found = margin(rows, "log_loss", None, losses, rows.wrong("a"), 0.95)
    expected = sum(100 * part.var(ddof=1) for part in (losses[:100], losses[100:])) / 200**2
    assert found == pytest.approx(stats.t.ppf(0.975, 199) * np.sqrt(expected))


def test_the_interval_of_a_mean_is_that_of_the_paired_t_test() -> None:
    part = exact(two_models(40))
    losses = [log_losses(part.of_rows.y, part.of_rows.probabilities[name]) for name in ("a", "b")]
    ends = stats.ttest_rel(losses[0], losses[1]).confidence_interval(0.95)
    found = compared(part, "log_loss")
    assert found is not None
    assert found.high - found.low == pytest.approx(ends.high - ends.low, rel=1e-9)
    assert found.low + found.high == pytest.approx(ends.low + ends.high, rel=1e-9)


@pytest.mark.parametrize(("positive", "lowest", "highest"), [(5, 0.5, 0.8), (20, 0.85, 0.95), (50, 0.95, 0.98)])
def test_an_area_of_1_has_an_interval_that_shrinks_with_the_rows(positive: int, lowest: float, highest: float) -> None:
    y = np.repeat([0, 1], [100, positive])
    found = exact({"a": predictions(y, np.where(y == 1, 0.9, 0.1) + np.linspace(0, 0.05, len(y)))})
    ends = found.interval("a", "roc_auc")
    assert ends is not None
    assert lowest < ends.low < highest
    assert ends.high == 1


def test_the_interval_of_an_area_has_the_covariance_of_delong() -> None:
    part = exact(two_models(120))
    y, kernels = part.of_rows.y, []
    for name in ("a", "b"):
        scores = part.of_rows.probabilities[name][:, 1]
        gaps = scores[y == 1][:, None] - scores[y == 0][None]
        kernels.append((gaps > 0) + 0.5 * (gaps == 0))
    positives, others = kernels[0].shape
    # DeLong, DeLong & Clarke-Pearson (1988), (4) to (8)
    covariance = np.cov([kernel.mean(axis=1) for kernel in kernels]) / positives
    covariance += np.cov([kernel.mean(axis=0) for kernel in kernels]) / others
    half = stats.t.ppf(0.975, 119) * np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    gap = kernels[0].mean() - kernels[1].mean()
    found = compared(part, "roc_auc")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((gap - half, gap + half), abs=1e-9)


def test_few_rows_or_few_mistakes_have_no_interval() -> None:
    for rows, found in ((30, True), (29, False)):
        assert (compared(exact(two_models(rows, sharpness=0.3)), "brier") is not None) == found
    sharp = exact(two_models(300, sharpness=5))
    assert min((sharp.of_rows.decided[name] != sharp.of_rows.y).sum() for name in ("a", "b")) < 5
    assert all(compared(sharp, metric) is None for metric in COMPARED)


def test_rows_of_a_cluster_count_once() -> None:
    for texts, found in ((40, True), (25, False)):
        models, clusters = copies(two_models(texts), 25)
        assert (compared(exact(models, clusters=clusters), "brier") is not None) == found
    # One text 25 times is all that a model decides wrongly.
    y, clusters = np.arange(1000) % 2, np.arange(1000) // 25
    positive = np.where((y == 1) == (clusters > 0), 0.9, 0.1)
    models = {"a": predictions(y, positive), "b": predictions(y, 0.25 + positive / 2)}
    assert compared(exact(models, clusters=clusters), "log_loss") is None
    assert compared(exact(models), "log_loss") is not None


def test_f1_needs_rows_of_the_positive_class_that_are_right() -> None:
    y = (np.arange(400) < 20).astype(int)
    generator, models = np.random.default_rng(0), {}
    for name, found in (("a", 4), ("b", 12)):
        decided = np.where(y == 1, np.arange(400) < found, generator.random(400) < 0.05)
        models[name] = predictions(y, np.where(decided, 0.8, 0.1) + 0.1 * generator.random(400))
    part = exact(models, HALF)
    assert compared(part, "f1") is None
    assert compared(part, "log_loss") is not None


def test_a_comparison_has_the_differences_of_metrics_that_depend_on_the_rows() -> None:
    models = two_models(200)
    constant = predictions(models["a"].y, np.full(200, 0.4))
    report = exact({"c": constant, **models}).comparisons()
    assert set(report["a_vs_c"]["metrics"]) == {"log_loss", "brier"}
    entry = report["b_vs_a"]["metrics"]
    assert set(entry) == set(COMPARED)
    found = compared(exact(models), "f1")
    assert found is not None
    assert entry["f1"] == Difference(-found.difference, -found.high, -found.low).rounded()
    few = exact({name: rows.take(slice(20)) for name, rows in models.items()}).comparisons()["b_vs_a"]["metrics"]
    assert few == dict.fromkeys(COMPARED)


def test_rows_of_one_class_have_no_area_to_compare() -> None:
    models = {name: replace(rows, y=np.ones(200, np.int64)) for name, rows in two_models(200).items()}
    assert set(exact(models).comparisons()["b_vs_a"]["metrics"]) == {"log_loss", "brier", "f1"}
