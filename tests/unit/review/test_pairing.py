"""Paired intervals of the predictions of both revisions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.metrics import MEASURED
from tests.unit.review.samples import change
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.comparisons import mcnemar
from textclf.evaluate.intervals import Interval, tango
from textclf.evaluate.metrics.of_rows import log_losses
from textclf.evaluate.rows import JudgedRows
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import SplitMetrics
from textclf.review import pairing
from textclf.review.changes import Numbers, compare_metrics
from textclf.review.pairing import Decided, Pairing

SETTINGS = Evaluate()
ROWS = 200


def predictions(share_correct: float, seed: int) -> Decided:
    """Return predictions of two classes on test rows, some of them wrong."""
    generator = np.random.default_rng(seed)
    y = np.arange(ROWS) % 2
    positions = np.where(generator.random(ROWS) < share_correct, y, 1 - y)
    positive = np.where(
        positions == 1, 0.5 + generator.random(ROWS) / 2, generator.random(ROWS) / 2
    )
    rows = Predictions(
        ids=np.array([f"r:{number}" for number in range(ROWS)], dtype=object),
        split=np.full(ROWS, "test", dtype=object),
        y=y,
        probabilities=np.column_stack([1 - positive, positive]),
        classes=("0", "1"),
    )
    return Decided(rows, Decision(0.5, None))


BASE, HEAD = predictions(0.8, 1), predictions(0.7, 2)


def pair(base: Decided, head: Decided, recorded: float, clustered: tuple[str, ...] = ()) -> Pairing:
    """Pair the predictions, of which these accuracies were recorded."""
    changes = [change("accuracy", recorded, HEAD.metrics()["accuracy"])]
    return pairing.pair_predictions(
        changes, {"keras": base}, {"keras": head}, SETTINGS, True, clustered
    )


def test_paired_intervals_are_those_of_the_same_rows_at_both_revisions() -> None:
    intervals, test = pairing.paired_intervals(BASE, HEAD, SETTINGS, stratified=True)
    y = HEAD.rows.y
    correct = [side.rows.probabilities.argmax(axis=1) == y for side in (HEAD, BASE)]
    only, other = (int((one & ~two).sum()) for one, two in (correct, correct[::-1]))
    assert test == mcnemar(only, other)
    assert only != other
    assert intervals["accuracy"] == pytest.approx(tango(only, other, len(y)), abs=1e-6)
    losses = [log_losses(JudgedRows(y, side.rows.probabilities, y)) for side in (HEAD, BASE)]
    ends = stats.ttest_rel(losses[0], losses[1]).confidence_interval(0.95)
    # The t-test's is of a split that is not stratified.
    assert intervals["log_loss"] == pytest.approx((ends.low, ends.high), abs=0.02)
    assert set(intervals) == {name for name, metric in MEASURED.items() if metric.interval}


def test_costs_are_paired_if_both_revisions_have_the_same() -> None:
    decisions = [Decision(costs=((0.0, cost), (1.0, 0.0))) for cost in (5.0, 9.0)]
    same, other = (Decided(HEAD.rows, each) for each in decisions)
    base = Decided(BASE.rows, decisions[0])
    assert base.take(np.arange(ROWS)).metrics()["cost"] > 0
    intervals, _ = pairing.paired_intervals(base, same, SETTINGS, stratified=True)
    difference = same.metrics()["cost"] - base.metrics()["cost"]
    assert intervals["cost"].low < difference < intervals["cost"].high
    assert "cost" not in pairing.paired_intervals(base, other, SETTINGS, stratified=True)[0]


def test_rows_are_paired_by_id_in_any_order() -> None:
    shuffled = BASE.take(np.random.default_rng(0).permutation(ROWS))
    assert pairing.same_rows(shuffled, HEAD)
    ordered, unordered = (
        pairing.paired_intervals(base, HEAD, SETTINGS, stratified=True) for base in (BASE, shuffled)
    )
    assert ordered == unordered


OTHER_IDS = replace(HEAD, rows=replace(HEAD.rows, ids=np.full(ROWS, "x", dtype=object)))
OTHER_LABELS = replace(HEAD, rows=replace(HEAD.rows, y=np.zeros(ROWS, dtype=np.int64)))
MORE_CLASSES = replace(HEAD, rows=replace(HEAD.rows, classes=("0", "1", "2")))
ACCURACY = BASE.metrics()["accuracy"]


@pytest.mark.parametrize(
    ("head", "recorded", "clustered", "reason"),
    [
        (HEAD, ACCURACY, (), ""),
        (
            HEAD,
            0.1,
            (),
            "the recorded metrics are not those that this version computes of the predictions",
        ),
        (HEAD, ACCURACY, ("train",), ""),
        (
            HEAD,
            ACCURACY,
            ("test",),
            "rows depend on each other, by a text or a group that they share",
        ),
        (OTHER_IDS, ACCURACY, (), pairing.OTHER_ROWS),
        (OTHER_LABELS, ACCURACY, (), pairing.OTHER_ROWS),
        (HEAD.take(np.arange(ROWS - 1)), ACCURACY, (), pairing.OTHER_ROWS),
        (
            replace(HEAD, rows=replace(HEAD.rows, classes=("1", "0"))),
            ACCURACY,
            (),
            pairing.OTHER_ROWS,
        ),
        (MORE_CLASSES, ACCURACY, (), "the classes differ"),
    ],
)
def test_predictions_are_paired_if_of_the_same_independent_rows_with_the_recorded_metrics(
    head: Decided, recorded: float, clustered: tuple[str, ...], reason: str
) -> None:
    paired = pair(BASE, head, recorded, clustered)
    assert [(entry.model, entry.split, entry.rows) for entry in paired.pairs] == [
        ("keras", "test", ROWS)
    ] * (not reason)
    assert paired.unpaired == ({("keras", "test"): reason} if reason else {})
    assert paired.same_test_rows == [reason != pairing.OTHER_ROWS]
    assert bool(paired.intervals) == (not reason)


def test_of_a_baseline_only_the_rows_are_compared() -> None:
    changes = [replace(change("accuracy", ACCURACY, HEAD.metrics()["accuracy"]), baseline=True)]
    for head, same in ((HEAD, True), (OTHER_IDS, False)):
        paired = pairing.pair_predictions(changes, {"keras": BASE}, {"keras": head}, SETTINGS, True)
        assert paired == Pairing(same_test_rows=[same])


@pytest.mark.parametrize(
    ("base", "head", "sides"),
    [({}, {"keras": HEAD}, "base"), ({"keras": BASE}, {}, "head"), ({}, {}, "base and the head")],
)
def test_missing_predictions_are_named(
    base: dict[str, Decided], head: dict[str, Decided], sides: str
) -> None:
    paired = pairing.pair_predictions([change("accuracy", 0.8, 0.7)], base, head, SETTINGS, True)
    assert paired.unpaired["keras", "test"].startswith(
        f"this machine has no predictions of the {sides} that"
    )


def test_a_paired_interval_takes_the_place_of_an_unpaired_one() -> None:
    paired = Pairing({("keras", "test", "f1"): Interval(-0.2, -0.1)})
    changed, other = paired.replace_intervals(
        [change("f1", 0.8, 0.7, (-0.5, 0.5)), change("mcc", 0.8, 0.7, (-1.0, 1.0))]
    )
    assert (changed.interval, other.interval) == ((-0.2, -0.1), (-1.0, 1.0))


def test_metrics_without_a_paired_interval_are_known() -> None:
    few = [side.take(np.arange(12)) for side in (BASE, HEAD)]
    base, head = (side.metrics() for side in few)
    changes = [change(name, base[name], head[name]) for name in ("accuracy", "recall", "ece")]
    paired = pairing.pair_predictions(changes, {"keras": few[0]}, {"keras": few[1]}, SETTINGS, True)
    assert [entry.unpaired for entry in paired.pairs] == [{"recall", "ece"}]


def test_few_rows_have_an_interval_of_accuracy_alone() -> None:
    few = [side.take(np.arange(12)) for side in (BASE, HEAD)]
    intervals, test = pairing.paired_intervals(few[0], few[1], SETTINGS, stratified=True)
    assert set(intervals) == {"accuracy"}
    assert intervals["accuracy"] == pytest.approx(tango(test.only_a, test.only_b, 12), abs=1e-6)
    same, test = pairing.paired_intervals(BASE, BASE, SETTINGS, stratified=True)
    assert same == {"accuracy": pytest.approx(tango(0, 0, ROWS), abs=1e-6)}
    assert test.p == 1


def test_a_mean_over_classes_has_no_verdict_if_one_was_predicted_once_and_never_again() -> None:
    y = np.repeat(np.arange(4), [8, 8, 7, 7])
    decided = np.where(y == 3, np.arange(30) % 3, y)
    once = np.where(np.arange(30) == 29, 3, decided)
    sides = [
        Predictions(
            np.array([f"r:{row}" for row in range(30)], object),
            np.full(30, "test", object),
            y,
            0.1 + 0.6 * np.eye(4)[each],
            ("a", "b", "c", "d"),
        )
        for each in (once, decided)
    ]
    base, head = (Decided(rows, Decision()) for rows in sides)
    recorded: list[Numbers] = [{"m": {"test": side.metrics()}} for side in (base, head)]
    parts = [SplitMetrics("test", {"m": rows}, {"m": Decision()}, SETTINGS, True) for rows in sides]
    intervals: list[Numbers] = [{"m": {"test": part.intervals("m")}} for part in parts]
    changes = compare_metrics(recorded[0], recorded[1], intervals[0], intervals[1])
    paired = pairing.pair_predictions(changes, {"m": base}, {"m": head}, SETTINGS, True)
    for some in (changes, paired.replace_intervals(changes)):  # unpaired, and paired
        verdicts = {each.metric: each.verdict for each in some}
        assert verdicts["precision"] == "too few rows"
        assert verdicts["accuracy"] == verdicts["recall"] == "may be chance"


def test_rows_with_other_sets_of_labels_are_other_rows() -> None:
    y = np.array([[1, 0, 1], [0, 0, 0]], np.int8)
    ids, split = np.array(["a", "b"], object), np.array(["test", "test"], object)
    one = Decided(
        Predictions(ids, split, y, y.astype(np.float64) * 0.8, ("a", "b", "c")),
        Decision(thresholds=(0.5, 0.5, 0.5)),
    )
    assert one.labels() == {"a": ["a", "c"], "b": []}
    assert pairing.same_rows(one, one.take(np.array([1, 0])))
    assert not pairing.same_rows(one, replace(one, rows=replace(one.rows, y=np.abs(1 - y))))


def label_sets(noise: float, seed: int) -> Decided:
    """Return predictions of three labels for test rows, some of them wrong."""
    generator = np.random.default_rng(0)
    y = (generator.random((ROWS, 3)) < 0.4).astype(np.int8)
    shift = np.random.default_rng(seed).normal(0, noise, y.shape)
    ids, split = BASE.rows.ids, BASE.rows.split
    rows = Predictions(ids, split, y, np.clip(0.2 + 0.6 * y + shift, 0.01, 0.99), ("a", "b", "c"))
    return Decided(rows, Decision(thresholds=(0.5, 0.5, 0.5)))


def test_sets_of_labels_are_paired_and_right_if_they_are_exact() -> None:
    base, head = label_sets(0.2, 1), label_sets(0.3, 2)
    right = [((side.rows.probabilities > 0.5) == side.rows.y).all(axis=1) for side in (head, base)]
    intervals, test = pairing.paired_intervals(base, head, SETTINGS, stratified=True)
    assert test == mcnemar(int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum()))
    assert intervals["accuracy"] == pytest.approx(tango(test.only_a, test.only_b, ROWS), abs=1e-6)
    assert set(intervals) == {*base.metrics()} - {"ece"}
    changes = [change(name, value, head.metrics()[name]) for name, value in base.metrics().items()]
    paired = pairing.pair_predictions(changes, {"keras": base}, {"keras": head}, SETTINGS, True)
    assert [entry.unpaired for entry in paired.pairs] == [{"ece"}]
