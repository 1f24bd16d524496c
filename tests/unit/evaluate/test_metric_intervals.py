"""Intervals of metrics and of differences: against resamples, published formulas, the truth."""

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.metrics import MEASURED
from tests.unit.evaluate.samples import (
    HALF,
    TOP,
    compared,
    drawn,
    exact,
    halves,
    known,
    overconfident,
    predictions,
    resampled,
    sample_sets,
    sets,
    two_models,
)
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.intervals import Difference, Interval, area_score, on_odds_scale, wilson
from textclf.evaluate.metrics.metric import FEW_ROWS, margin
from textclf.evaluate.metrics.of_counts import CountMetric, Share
from textclf.evaluate.metrics.of_rows import RowMean, log_losses
from textclf.evaluate.registry import METRICS, metrics_of
from textclf.evaluate.rows import margins

WITH_INTERVAL = {name for name, metric in MEASURED.items() if metric.interval}
COMPARED = {name for name, metric in MEASURED.items() if metric.compared}
LABELS = [name for name, metric in metrics_of(True).items() if metric.interval]


def counted(metric: str) -> CountMetric:
    measured = METRICS[metric]
    assert isinstance(measured, CountMetric)
    return measured


def two_of_sets(rows: int) -> dict[str, Predictions]:
    y, probabilities, _ = sample_sets(2, rows, digits=3)
    noise = np.random.default_rng(1).normal(size=y.shape)
    odds = (
        np.log(np.clip(probabilities, 0.01, 0.99) / (1 - np.clip(probabilities, 0.01, 0.99)))
        + noise
    )
    return {"a": sets(y, probabilities), "b": sets(y, 1 / (1 + np.exp(-odds)))}


def copies(
    models: dict[str, Predictions], times: int
) -> tuple[dict[str, Predictions], NDArray[np.int64]]:
    """Return every row so many times, and the clusters of the copies."""
    clusters = np.repeat(np.arange(len(models["a"])), times)
    return {name: rows.take(clusters) for name, rows in models.items()}, clusters


def width(ends: Any) -> float:
    assert ends is not None
    low, high = (ends["low"], ends["high"]) if isinstance(ends, dict) else (ends.low, ends.high)
    return float(high - low)


# All metrics


@pytest.mark.parametrize("classes", [2, 4, 0], ids=["binary", "classes", "labels"])
def test_the_influence_is_the_change_of_a_metric_by_one_more_row(classes: int) -> None:
    models, decision = (two_models(800, classes), TOP) if classes else (two_of_sets(800), halves(5))
    rows = exact(models, decision).judged["a"]
    for metric in (MEASURED if classes else metrics_of(True)).values():
        influences, value = metric.influence(rows), metric.value(rows)
        for row in range(20):
            change = (metric.value(rows.take(np.append(np.arange(800), row))) - value) * 801
            assert influences[row] - influences.mean() == pytest.approx(change, abs=0.04), (
                metric.name
            )
        if metric.per_class and classes != 2:
            of_classes = [metric.influence(rows, place) for place in range(classes or 5)]
            # That on a mean over classes is what it loses without the row, not a derivative.
            assert np.mean(of_classes, axis=0) == pytest.approx(
                influences, abs=0.005 if classes else 1e-9
            )


@pytest.mark.parametrize("classes", [2, 4, 0], ids=["binary", "classes", "labels"])
@pytest.mark.parametrize(("stratified", "times"), [(True, 1), (False, 1), (False, 3)])
def test_intervals_and_differences_are_as_uncertain_as_resamples(
    classes: int, stratified: bool, times: int
) -> None:
    """Wilson's intervals of the positive class allow for any shares."""
    models, clusters = copies(
        two_models(900 // times, classes) if classes else two_of_sets(900 // times), times
    )
    part = exact(models, TOP if classes else halves(5), stratified, clusters if times > 1 else None)
    draws = {name: resampled(part, name) for name in models}
    for name, metric in (
        {name: MEASURED[name] for name in WITH_INTERVAL} if classes else metrics_of(True)
    ).items():
        if not metric.interval:
            continue
        low, high = np.quantile(draws["a"][name], [0.025, 0.975])
        ends = known(part.intervals("a")[name])
        if classes != 2 or name not in {"accuracy", "precision", "recall", "f1"}:
            assert (ends["low"], ends["high"]) == pytest.approx(
                (low, high), abs=0.2 * (high - low)
            ), name
        if name != "accuracy":
            difference = known(compared(part, name))
            assert width(difference) == pytest.approx(
                2 * 1.96 * (draws["a"][name] - draws["b"][name]).std(), rel=0.2
            ), name
            gap = part.metrics("a")[name] - part.metrics("b")[name]
            assert difference.difference == pytest.approx(gap, abs=2e-6)


@pytest.mark.parametrize(
    ("rows", "decision"),
    [(overconfident(1), HALF), (drawn(5), TOP), (drawn(5, 90, 6), TOP)],
    ids=["2", "3", "6"],
)
def test_the_accuracy_has_wilsons_interval_of_the_confidence_in_settings(
    rows: Predictions, decision: Decision
) -> None:
    wide, narrow = (
        exact({"a": rows}, decision, confidence=each).intervals("a") for each in (0.95, 0.5)
    )
    assert set(wide) == set(narrow) == WITH_INTERVAL
    assert all(width(narrow[name]) < width(wide[name]) for name in wide)
    correct = int((decision.decide(rows.probabilities) == rows.y).sum())
    expected = stats.binomtest(correct, len(rows)).proportion_ci(method="wilson")
    ends = {"low": round(expected.low, 6), "high": round(expected.high, 6)}
    assert wide["accuracy"] == ends | {"effective_rows": len(rows)}


@pytest.mark.parametrize("clusters", [None, np.arange(90) // 3], ids=["independent", "clusters"])
def test_equal_intervals_of_two_classes_are_computed_once(
    clusters: NDArray[np.int64] | None,
) -> None:
    part = exact({"a": drawn(5, 90, 2)}, HALF, clusters=clusters)
    for metric in ("precision", "recall", "f1", "roc_auc"):
        assert part.interval("a", metric) is part.interval("a", metric, 1)
        assert (part.interval("a", metric, 0) is part.interval("a", metric, 1)) == (
            metric == "roc_auc"
        )


@pytest.mark.parametrize("stratified", [False, True])
def test_metrics_that_no_row_can_change_have_no_interval(stratified: bool) -> None:
    y = np.repeat([0, 1], [60, 40])
    part = exact({"a": predictions(y, np.full(100, 0.3))}, HALF, stratified=stratified)
    varying = set() if stratified else {"log_loss", "brier"}
    assert set(part.intervals("a")) == {"accuracy"} | varying
    table = part.by_class("a").set_index("class")
    assert table.loc["yes", ["precision_low", "f1_low", "roc_auc_low"]].isna().all()
    assert table["f1_low"].isna().tolist() == [
        stratified,
        True,
    ]  # its share of the rows is left to chance or fixed


def test_intervals_stay_within_the_range_of_the_metric() -> None:
    losses = {name: metric for name, metric in METRICS.items() if isinstance(metric, RowMean)}

    def scaled(metric: str, value: float, half: float, classes: int = 2) -> Interval:
        return known(losses[metric].on_scale(value, half, classes))

    assert on_odds_scale(0.98, 0.1).high < 1
    assert scaled("log_loss", 0.6, 0.5).low > 0
    assert scaled("brier", 0.9, 0.5).high == 1
    assert (
        1.2
        < scaled("brier", 1.2, 0.1, classes=3).high
        < scaled("brier", 1.2, 1.1, classes=3).high
        == 2
    )
    assert losses["log_loss"].on_scale(0.1, 0.11, 2) is None  # a few rows decide it
    for metric, value in (("log_loss", 0.5), ("ranking", 0.7)):
        assert scaled(metric, value, 0.001) == pytest.approx(
            (value - 0.001, value + 0.001), abs=1e-5
        )


# Shares and metrics of counts


def test_f1_has_the_interval_of_the_share_that_it_follows_from() -> None:
    share = Share(8, 12, 12, f1=True)
    assert share.interval() == pytest.approx([2 * end / (1 + end) for end in wilson(8, 12)])
    assert share.interval().low < 2 * 8 / (8 + 12) < share.interval().high
    assert Share(12, 12, 3.5, f1=True).interval().high == 1


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_recall_and_f1_of_a_class_have_wilsons_intervals(confidence: float) -> None:
    rows = drawn(4)
    decided = rows.probabilities.argmax(axis=1)
    table = exact({"a": rows}, TOP, confidence=confidence).by_class("a")
    for place, row in enumerate(table.to_dict("records")):
        right, either = (
            (rows.y == place) & (decided == place),
            (rows.y == place) | (decided == place),
        )
        assert (row["recall_low"], row["recall_high"]) == wilson(
            right.sum(), row["support"], confidence
        )
        ends = wilson(right.sum(), either.sum(), confidence)
        assert (row["f1_low"], row["f1_high"]) == pytest.approx(
            [2 * end / (1 + end) for end in ends]
        )


def test_two_classes_of_as_many_rows_have_wilsons_interval_of_the_accuracy() -> None:
    balanced, mcc = counted("balanced_accuracy"), counted("mcc")
    for right in (50, 47, 30):
        matrix = np.array([[right, 50 - right], [50 - right, right]])
        assert balanced.counts_interval(matrix, 1.0, stratified=True) == pytest.approx(
            wilson(2 * right, 100)
        )
        assert mcc.counts_interval(matrix, 1.0, stratified=True) == pytest.approx(
            [2 * end - 1 for end in wilson(2 * right, 100)], abs=0.001
        )
        # Half an effective row per row
        assert balanced.counts_interval(matrix, 0.5, stratified=True) == pytest.approx(
            wilson(right, 50)
        )


def test_the_interval_of_a_class_without_rows_is_not_needed() -> None:
    matrix = np.array([[4, 1, 0], [2, 3, 0], [0, 0, 0]])
    for metric in map(counted, ("balanced_accuracy", "mcc")):
        ends = metric.counts_interval(matrix, 1.0, stratified=True)
        assert ends == pytest.approx(metric.counts_interval(matrix[:2, :2], 1.0, stratified=True))


def test_a_small_class_without_mistakes_leaves_a_mean_uncertain() -> None:
    widths = []
    for small in (2, 4, 40):  # all right, beside two classes with mistakes
        matrix = np.array([[40, 10, 0], [10, 40, 0], [0, 0, small]])
        widths.append(width(counted("recall").counts_interval(matrix, 1.0, stratified=True)))
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1.5 * widths[2]


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize(
    ("name", "skewed"), [("balanced_accuracy", True), ("f1", False), ("mcc", True)]
)
def test_metrics_of_many_small_classes_cover_the_truth(
    name: str, skewed: bool, stratified: bool
) -> None:
    generator, classes, rows, measured = np.random.default_rng(3), 77, 500, []
    metric, recalls = counted(name), generator.beta(12, 3, classes)
    confused = generator.dirichlet(np.full(classes, 0.3), classes) * (1 - np.eye(classes))
    shares = confused / confused.sum(axis=1, keepdims=True) * (1 - recalls)[:, None] + np.diag(
        recalls
    )
    frequencies = 1 / (np.arange(classes) + (3 if skewed else 1000))
    fixed = np.maximum(np.round(frequencies / frequencies.sum() * rows), 1).astype(np.int64)
    for _ in range(400):
        matrix = generator.multinomial(
            fixed if stratified else generator.multinomial(rows, fixed / fixed.sum()), shares
        )
        if ends := metric.counts_interval(matrix, 1.0, stratified):
            measured.append((*ends, metric.of_counts(margins(matrix))))
    (low, high, values), true = (
        np.array(measured).T,
        metric.of_counts(margins(shares * fixed[:, None])),
    )
    assert len(measured) > 200
    assert ((low <= true) & (true <= high)).mean() > 0.915
    assert (high - low).mean() == pytest.approx(2 * 1.96 * values.std(), rel=0.15)


# Few rows


# Of eight rows; in the first six are right in a class of four each, in the others all are right or
# wrong.
@pytest.mark.parametrize(
    "decided", [[0, 0, 0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0]]
)
@pytest.mark.parametrize("stratified", [False, True])
def test_eight_rows_have_wide_intervals_or_none(decided: list[int], stratified: bool) -> None:
    y = np.repeat([0, 1], 4)
    positive = 0.2 + 0.6 * np.array(decided) + np.arange(8) / 1000
    part = exact(
        {"a": predictions(y, positive), "b": predictions(y, 1 - positive)}, stratified=stratified
    )
    metrics, intervals = part.metrics("a"), part.intervals("a")
    assert set(intervals) == WITH_INTERVAL
    assert intervals["log_loss"] is intervals["brier"] is None
    for name, ends in intervals.items():
        if ends is not None:
            assert ends["low"] <= metrics[name] <= ends["high"], name
            assert width(ends) > 0.2, name
    entry = part.comparisons()["b_vs_a"]
    assert entry["low"] <= entry["difference"] <= entry["high"]
    assert width(entry) > 0.3


@pytest.mark.parametrize("kind", ["binary", "classes", "labels"])
def test_a_model_that_is_always_right_has_intervals_except_of_losses(kind: str) -> None:
    """A mean loss depends on mistakes that were not seen."""
    y, decision = np.arange(300) % (2 if kind == "binary" else 5), HALF if kind == "binary" else TOP
    if kind == "labels":
        y, decision = (
            (np.arange(300)[:, None] % np.array([2, 3, 7]) == 0).astype(np.int8),
            halves(3),
        )
        rows = sets(y, 0.1 + 0.8 * y + np.linspace(0, 0.01, 900).reshape(300, 3))
    elif kind == "classes":
        rows = predictions(y, 0.1 + 0.5 * np.eye(5)[y] + np.arange(300)[:, None] / 1e5)
    else:
        rows = predictions(y, 0.1 + 0.8 * y + np.linspace(0, 0.05, 300))
    part = exact({"a": rows}, decision)
    intervals = part.intervals("a")
    assert {name for name, ends in intervals.items() if ends is None} - {"ranking"} == {
        "log_loss",
        "brier",
    }
    for ends in filter(None, intervals.values()):
        low, high = sorted(
            abs(end - round(ends["high"])) for end in (ends["low"], ends["high"])
        )  # loss of 0, or 1
        assert low == 0 < high < 0.1
    table = part.by_class("a")
    assert (table["precision_low"] == table["recall_low"]).all()
    assert (table[["f1_low", "roc_auc_low"]] < 1).all(axis=None)
    if kind == "binary":
        low = intervals["roc_auc"]["low"]  # type: ignore[index]
        assert low == pytest.approx(area_score(1, 150, 150).low, abs=0.001)


def test_intervals_of_few_rows_cover_the_truth() -> None:
    generator = np.random.default_rng(5)
    distance, rows, count = 0.84, 12, 300
    accuracy = float(stats.norm.cdf(distance))
    truth = {
        "accuracy": accuracy,
        "f1": accuracy,
        "recall": accuracy,
        "balanced_accuracy": accuracy,
    }
    truth |= {"mcc": 2 * accuracy - 1, "roc_auc": float(stats.norm.cdf(math.sqrt(2) * distance))}
    inside = dict.fromkeys([*truth, "difference"], 0)
    for _ in range(count):
        y = np.arange(rows) % 2
        first, second = distance * (2 * y - 1) + generator.normal(size=(2, rows))
        models = {
            name: predictions(y, 1 / (1 + np.exp(-odds)))
            for name, odds in (("a", first), ("b", second))
        }
        part = exact(models, stratified=True)
        for name, value in truth.items():
            ends = known(part.interval("a", name))
            inside[name] += ends.low <= value <= ends.high
        entry = part.comparisons()["b_vs_a"]
        inside["difference"] += entry["low"] <= 0 <= entry["high"]
    assert all(number / count > 0.9 for number in inside.values()), inside


@pytest.mark.parametrize(("metric", "few"), [("log_loss", False), ("f1", True)])
def test_right_rows_are_counted_among_those_that_the_metric_is_of(metric: str, few: bool) -> None:
    y = np.repeat([0, 1], [400, 8])
    positive = np.where(np.arange(408) % 10 == 0, 0.9, 0.1)
    positive[-8:] = np.repeat(
        [0.9, 0.1], [4, 4]
    )  # four are right in the rare class, and 360 of the others
    assert METRICS[metric].has_few_rows(exact({"a": predictions(y, positive)}).judged["a"]) == few


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(
    ("metric", "fewest"), [("precision", 5), ("recall", 1), ("f1", 1), ("roc_auc", 5)]
)
def test_a_mean_over_classes_has_no_interval_if_one_of_them_is_rare(
    metric: str, fewest: int, clustered: bool
) -> None:
    for rare in (fewest - 1, fewest):
        y = np.repeat(np.arange(3), [100 - rare, 100, rare if metric != "precision" else 50])
        decided = np.where(np.arange(len(y)) % 4 == 0, (y + 1) % 2, y)
        if metric == "precision":
            decided[-50:-rare], decided[-rare:] = 0, 2
        else:
            decided[0] = 2
        clusters = (
            np.concatenate([np.arange(len(y) - 1), [len(y) - 2]]) if clustered else None
        )  # the last two are one
        part = exact({"a": predictions(y, 0.1 + 0.7 * np.eye(3)[decided])}, TOP, clusters=clusters)
        assert (part.interval("a", metric) is not None) == (
            rare == fewest and (fewest == 1 or not clustered)
        )
        assert part.interval("a", "balanced_accuracy") is not None
        assert part.interval("a", "mcc") is not None


def test_few_rows_or_few_mistakes_are_not_compared_and_losses_have_no_interval() -> None:
    for rows, enough in ((FEW_ROWS, True), (FEW_ROWS - 1, False)):
        part = exact(two_models(rows, sharpness=0.3))
        assert (
            (compared(part, "brier") is not None)
            == (part.intervals("a")["brier"] is not None)
            == enough
        )
    sharp = exact(two_models(300, sharpness=5))
    assert min(rows.wrong.sum() for rows in sharp.judged.values()) < 5
    assert all(compared(sharp, metric) is None for metric in COMPARED)


def test_rows_of_a_cluster_count_once() -> None:
    for texts, enough in ((40, True), (25, False)):
        models, clusters = copies(two_models(texts), 25)
        assert (compared(exact(models, clusters=clusters), "brier") is not None) == enough
    # One text 25 times is all that a model decides wrongly.
    y, clusters = np.arange(1000) % 2, np.arange(1000) // 25
    positive = np.where((y == 1) == (clusters > 0), 0.9, 0.1)
    models = {"a": predictions(y, positive), "b": predictions(y, 0.25 + positive / 2)}
    assert compared(exact(models, clusters=clusters), "log_loss") is None
    assert compared(exact(models), "log_loss") is not None


# Areas


@pytest.mark.parametrize("times", [1, 3])
def test_the_interval_of_an_area_does_not_depend_on_the_threshold(times: int) -> None:
    models = {
        name: rows.take((rows.y == 0) | (np.cumsum(rows.y) <= 16))
        for name, rows in two_models(800).items()
    }
    copied, clusters = copies(models, times)
    parts = [
        exact(copied, Decision(each), clusters=clusters if times > 1 else None)
        for each in (0.02, 0.5, 0.999)
    ]
    assert len({part.interval("a", "roc_auc") for part in parts}) == 1
    once, several = (known(part.interval("a", "roc_auc")) for part in (exact(models), parts[0]))
    assert [*several] == pytest.approx([*once], abs=0.15 * width(once))  # copies tell nothing
    difference = known(compared(parts[0], "roc_auc"))
    assert all(compared(part, "roc_auc") == difference for part in parts)


def test_areas_of_few_rows_or_near_1_are_not_compared() -> None:
    models = two_models(800)
    for rows, some in ((14, False), (15, True)):
        few = {
            name: each.take((each.y == 0) | (np.cumsum(each.y) <= rows))
            for name, each in models.items()
        }
        assert (compared(exact(few), "roc_auc") is not None) == some
    ordered = predictions(models["a"].y, 0.1 + 0.8 * models["a"].y)
    assert compared(exact(models | {"a": ordered}), "roc_auc") is not None
    last = {
        "a": ordered,
        "b": predictions(ordered.y, np.where(np.arange(800) < 1, 0.5, ordered.probabilities[:, 1])),
    }
    assert compared(exact(last), "roc_auc") is None  # one row ranks wrongly


@pytest.mark.parametrize(
    ("rows", "distance"), [((10, 240), 1.8), ((20, 980), 2.3), ((40, 60), 1.2)]
)
def test_the_interval_of_an_area_covers_the_truth(rows: tuple[int, int], distance: float) -> None:
    generator, inside = np.random.default_rng(2), []
    y = np.repeat([1, 0], rows)
    for _ in range(300):
        scores = distance * y + generator.normal(size=len(y)) * (
            1 + y
        )  # twice as wide in the class: harder
        ends = known(
            exact({"a": predictions(y, 1 / (1 + np.exp(-scores)))}).interval("a", "roc_auc")
        )
        inside.append(ends.low <= stats.norm.cdf(distance / np.sqrt(5)) <= ends.high)
    assert 0.91 < np.mean(inside) < 0.99


def test_the_interval_of_an_area_has_the_covariance_of_delong() -> None:
    part, kernels = exact(two_models(120)), []
    for rows in part.judged.values():
        scores = rows.probabilities[:, 1]
        gaps = scores[rows.y == 1][:, None] - scores[rows.y == 0][None]
        kernels.append((gaps > 0) + 0.5 * (gaps == 0))
    positives, others = kernels[0].shape
    # DeLong, DeLong & Clarke-Pearson (1988), (4) to (8)
    covariance = np.cov([kernel.mean(axis=1) for kernel in kernels]) / positives
    covariance += np.cov([kernel.mean(axis=0) for kernel in kernels]) / others
    half = stats.t.ppf(0.975, 119) * np.sqrt(
        covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    )
    gap = kernels[0].mean() - kernels[1].mean()
    difference = known(compared(part, "roc_auc"))
    assert (difference.low, difference.high) == pytest.approx((gap - half, gap + half), abs=1e-9)


# Comparisons


def test_single_rows_of_classes_vary_as_one_class() -> None:
    y = np.concatenate([np.arange(100), np.full(100, 100)])
    made = predictions(y, np.random.default_rng(1).dirichlet(np.ones(101), 200))
    rows = exact({"a": made}, TOP, stratified=True).judged["a"]
    losses = log_losses(rows)
    expected = sum(100 * part.var(ddof=1) for part in (losses[:100], losses[100:])) / 200**2
    assert margin(rows, losses, rows.wrong, 0.95) == pytest.approx(
        stats.t.ppf(0.975, 199) * np.sqrt(expected)
    )


def test_the_interval_of_a_mean_is_that_of_the_paired_t_test() -> None:
    part = exact(two_models(40))
    losses = [log_losses(rows) for rows in part.judged.values()]
    ends = stats.ttest_rel(losses[0], losses[1]).confidence_interval(0.95)
    difference = known(compared(part, "log_loss"))
    assert (difference.low, difference.high) == pytest.approx((ends.low, ends.high), rel=1e-9)


def test_a_comparison_has_the_differences_of_metrics_that_depend_on_the_rows() -> None:
    models = two_models(200)
    constant = predictions(models["a"].y, np.full(200, 0.4))
    report = exact({"c": constant, **models}).comparisons()
    assert set(report["a_vs_c"]["metrics"]) == {"log_loss", "brier"}
    entry = report["b_vs_a"]["metrics"]
    assert set(entry) == COMPARED == {"log_loss", "brier", "f1", "roc_auc"}
    difference = known(compared(exact(models), "f1"))
    opposite = Difference(-difference.difference, -difference.high, -difference.low)
    assert entry["f1"] == opposite.rounded()
    few = exact({name: rows.take(slice(20)) for name, rows in models.items()}).comparisons()[
        "b_vs_a"
    ]["metrics"]
    assert few == dict.fromkeys(COMPARED)
    one_class = {name: replace(rows, y=np.ones(200, np.int64)) for name, rows in models.items()}
    assert set(exact(one_class).comparisons()["b_vs_a"]["metrics"]) == {
        "log_loss",
        "brier",
        "f1",
    }  # no area
    several = exact(two_of_sets(400), halves(5)).comparisons()["b_vs_a"]["metrics"]
    assert set(several) == COMPARED | {"micro_f1", "average_precision"}


@pytest.mark.parametrize("clusters", [None, np.arange(100) // 2], ids=["independent", "clusters"])
def test_a_difference_of_means_over_classes_is_as_uncertain_as_the_jackknife_says(
    clusters: Any,
) -> None:
    models = two_models(100, 20, sharpness=0.4)
    rows = exact(models, TOP, clusters=clusters).judged["a"]
    f1 = METRICS["f1"]
    value, influence = f1.value(rows), f1.influence(rows)
    for row in range(100):
        assert influence[row] == pytest.approx(
            (value - f1.value(rows.take(np.arange(100) != row))) * 99, abs=1e-9
        )
    pair = known(compared(exact(models, TOP, clusters=clusters), "f1"))
    if clusters is None:
        without = [
            f1.value(one.take(np.arange(100) != row)) - f1.value(other.take(np.arange(100) != row))
            for one, other in [exact(models, TOP).judged.values()]
            for row in range(100)
        ]
        half = stats.t.ppf(0.975, 99) * np.sqrt(99 / 100 * 100 * np.var(without))
        assert (pair.high - pair.low) / 2 == pytest.approx(half, rel=1e-9)


# Several labels per text


def test_labels_that_go_wrong_together_in_a_group_make_a_mean_uncertain() -> None:
    """A hard group has most rows of each label wrong; which of them differs from label to label."""
    generator = np.random.default_rng(1)
    clusters, hard = np.repeat(np.arange(60), 10), np.repeat(generator.random(60) < 0.3, 10)
    y = (generator.random((600, 4)) < 0.5).astype(np.int8)
    wrong = generator.random((600, 4)) < np.where(hard, 0.7, 0.05)[:, None]
    rows = sets(y, np.where((y == 1) != wrong, 0.9, 0.1))
    together = exact({"a": rows}, halves(4), clusters=clusters)
    shuffled = [generator.permutation(60).repeat(10) * 10 + np.arange(600) % 10 for _ in range(4)]
    y = np.column_stack([y[order, place] for place, order in enumerate(shuffled)])
    odds = np.column_stack(
        [rows.probabilities[order, place] for place, order in enumerate(shuffled)]
    )
    apart = exact({"a": sets(y, odds)}, halves(4), clusters=clusters)
    # Four labels that vary alike have twice the error of four independent ones.
    assert width(together.intervals("a")["recall"]) > 1.6 * width(apart.intervals("a")["recall"])


def test_means_allow_for_labels_that_few_rows_have_and_are_not_compared() -> None:
    y, probabilities, _ = sample_sets(3, 400)
    rare = y.copy()
    rare[:, 4] = np.arange(400) < 5
    often, few = (exact({"a": sets(each, probabilities)}, halves(5)) for each in (y, rare))
    has_few_rows = {
        (name, part): METRICS[name].has_few_rows(part.judged["a"])
        for name, part in product(LABELS, (often, few))
    }
    assert not any(has_few_rows[name, often] for name in LABELS)
    assert has_few_rows["f1", few]
    assert not has_few_rows["micro_f1", few]
    assert width(few.intervals("a")["recall"]) > 1.3 * width(often.intervals("a")["recall"])


@pytest.mark.parametrize(("third", "stated"), [(9, False), (10, True)])
def test_a_mean_of_recalls_has_no_interval_if_three_labels_are_rare(
    third: int, stated: bool
) -> None:
    y, probabilities, _ = sample_sets(3, 400)
    y[:, :3] = np.arange(400)[:, None] < np.array([5, 9, third])
    intervals = exact({"a": sets(y, probabilities)}, halves(5)).intervals("a")
    assert (intervals["recall"] is not None) == (intervals["f1"] is not None) == stated
    assert intervals["roc_auc"] is not None


def test_means_over_labels_of_which_one_has_no_rows_have_no_interval() -> None:
    y, probabilities, _ = sample_sets(3, 400)
    y[:, 2] = 0
    intervals = exact({"a": sets(y, probabilities)}, halves(5)).intervals("a")
    assert intervals["recall"] is None
    assert intervals["average_precision"] is not None  # the mean leaves the label out
    assert intervals["micro_recall"] is not None


@pytest.mark.parametrize(
    "metric", [name for name, metric in metrics_of(True).items() if metric.per_class]
)
def test_the_mean_over_equal_labels_is_as_uncertain_as_one_of_them(metric: str) -> None:
    y, probabilities, _ = sample_sets(3, 300)
    part = exact(
        {"a": sets(np.repeat(y[:, :1], 3, axis=1), np.repeat(probabilities[:, :1], 3, axis=1))},
        halves(3),
    )
    assert known(part.interval("a", metric)) == pytest.approx(known(part.interval("a", metric, 0)))
