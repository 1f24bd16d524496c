"""The report on the slices: numbers of their rows alone, valid tests, the same for any batches."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as sk

from tests.refusal import refusal
from tests.results import slice_of
from tests.unit.evaluate.samples import (
    HALF,
    SEEDS,
    TOP,
    drawn,
    exact,
    halves,
    params,
    predictions,
    sample_sets,
    sets,
)
from tests.unit.evaluate.samples import run_measured as measure
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions
from textclf.core.errors import UserError
from textclf.core.result_files import to_json
from textclf.evaluate.clusters import LIMIT
from textclf.evaluate.comparisons import holm
from textclf.evaluate.intervals import compare_shares, wilson
from textclf.evaluate.registry import compute
from textclf.evaluate.settings import SLICE_METRICS
from textclf.evaluate.slices.membership import Family, Membership
from textclf.evaluate.slices.report import describe_weak, ranked, report, weak
from textclf.evaluate.slices.sums import Correct, Repeats, SliceSums
from textclf.evaluate.split_clusters import IdDigest


def membership(rows: Predictions, **codes: Any) -> Membership:
    families = []
    for name, values in codes.items():
        array = np.asarray(values, np.int8)
        families.append(Family(name, tuple(map(chr, ord("a") + np.arange(array.max() + 1))), array))
    ids = IdDigest()
    ids.add(rows.ids.tolist())
    return Membership(tuple(families), ids.digest(), len(rows))


def measured(
    rows: Predictions,
    metric: str | None = None,
    keys: Any = None,
    decision: Decision = TOP,
    **codes: Any,
) -> dict[str, dict[str, Any]]:
    sums = SliceSums(membership(rows, **codes), rows.classes, metric, keys)
    content: dict[str, dict[str, Any]] = to_json(
        report(sums, exact({"m": rows}, decision).judged, 0.95)["m"]
    )
    return content


def split_in_three(seed: int, rows: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(np.arange(rows) % 3)


# The numbers


@given(SEEDS)
def test_accuracy_difference_and_tests_are_those_of_the_rows_and_the_others(seed: int) -> None:
    rows = drawn(seed)
    codes = split_in_three(seed, len(rows))
    entries = measured(rows, kind=codes)
    right = rows.probabilities.argmax(axis=1) == rows.y
    p_values = []
    for place, letter in enumerate("abc"):
        own, others = right[codes == place], right[codes != place]
        entry = entries[f"kind={letter}"]
        counts = own.sum(), len(own), others.sum(), len(others)
        assert entry["rows"] == len(own)
        assert entry["accuracy"] == pytest.approx(own.mean(), abs=1e-6)
        assert entry["accuracy_interval"] == pytest.approx(wilson(*counts[:2])._asdict(), abs=1e-6)
        assert entry["difference"] == pytest.approx(own.mean() - others.mean(), abs=1e-6)
        low, high, p = (
            float(each[0])
            for each in compare_shares(np.array([counts], float), np.full(1, np.inf), 0.95)
        )
        assert entry["difference_interval"] == pytest.approx({"low": low, "high": high}, abs=1e-6)
        p_values.append(p)
        assert entry["p"] == pytest.approx(p, rel=1e-5)
        if abs(low) > 1e-9 < abs(high):
            assert (p < 0.05) == (low > 0 or high < 0)
    adjusted = holm(np.array(p_values))
    assert [entries[f"kind={letter}"]["p_holm"] for letter in "abc"] == pytest.approx(
        adjusted, rel=1e-5
    )


def test_rows_in_no_slice_are_among_the_others() -> None:
    rows = predictions([1] * 40, [0.9] * 10 + [0.1] * 10 + [0.9] * 20)
    entries = measured(rows, kind=[0] * 20 + [-1] * 20)
    assert entries["kind=a"]["accuracy"] == 0.5
    assert entries["kind=a"]["difference"] == -0.5


def test_two_slices_that_are_all_rows_are_one_hypothesis() -> None:
    rows = predictions([1] * 40, [0.9] * 25 + [0.1] * 15)
    half = [0] * 20 + [1] * 20
    entries = measured(rows, half=half)
    assert entries["half=a"]["p"] == entries["half=b"]["p"] == entries["half=a"]["p_holm"]
    assert entries["half=a"]["difference"] == -entries["half=b"]["difference"]
    twice = measured(rows, half=half, other=half[::2] + half[1::2])
    assert twice["half=a"]["p_holm"] == pytest.approx(2 * twice["half=a"]["p"], rel=1e-5)


@pytest.mark.parametrize("metric", SLICE_METRICS)
@pytest.mark.parametrize("classes", [2, 4])
def test_the_metric_is_that_of_the_rows_of_the_slice_and_in_its_interval(
    metric: str, classes: int
) -> None:
    rows = drawn(1, 120, classes)
    codes = split_in_three(2, len(rows))
    for place, letter in enumerate("abc"):
        inside = codes == place
        entry = measured(rows, metric, kind=codes)[f"kind={letter}"]
        own, probabilities = rows.y[inside], rows.probabilities[inside]
        assert entry[metric] == compute(own, probabilities, probabilities.argmax(axis=1))[metric]
        ends = entry[f"{metric}_interval"]
        assert ends["low"] < entry[metric] < ends["high"]


def test_a_metric_that_is_not_defined_in_a_slice_is_left_out() -> None:
    rows = predictions([0, 1] * 20, [0.2, 0.8, 0.7, 0.1] * 10)
    entries = measured(rows, "recall", kind=rows.y)
    assert "recall" not in entries["kind=a"]  # no row of the positive class
    assert entries["kind=b"]["recall"] == 0.5
    assert "balanced_accuracy" not in measured(rows, "balanced_accuracy", kind=rows.y)["kind=a"]
    right = predictions([0, 1] * 20, [0.2, 0.8] * 20)
    assert (
        measured(right, "log_loss", kind=[0] * 20 + [1] * 20)["kind=a"]["log_loss_interval"] is None
    )


def test_counts_of_many_classes_are_refused() -> None:
    rows = drawn(1, 300, 101)
    sums = membership(rows, kind=split_in_three(1, 300))
    line = refusal(SliceSums, sums, rows.classes, "f1")
    assert line.endswith(
        "must be null or one of log_loss, brier with more than 100 classes; got f1 and 101 classes"
    )
    SliceSums(sums, rows.classes, "log_loss")


def test_a_model_that_decides_one_class_has_no_slices() -> None:
    rows = predictions([0, 1] * 20, [0.9] * 40)
    assert measured(rows, kind=rows.y) == {}


# Dependent rows


def test_rows_that_repeat_are_worth_one_each() -> None:
    some = drawn(4, 300, 2)
    repeated = some.take(np.repeat(np.arange(300), 5))
    codes = split_in_three(4, 300)
    single = measured(some, kind=codes)
    keys = np.repeat(np.arange(300), 5).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    clustered = measured(repeated, "log_loss", keys, kind=np.repeat(codes, 5))
    assert "effective_rows" not in single["kind=a"]
    for name, entry in clustered.items():
        assert entry["effective_rows"] == pytest.approx(100, rel=0.1)
        assert entry["p"] == pytest.approx(single[name]["p"], rel=0.5)
        naive = measured(repeated, "log_loss", kind=np.repeat(codes, 5))[name]
        for key in ("accuracy", "difference", "log_loss"):
            widths = [
                part[f"{key}_interval"]["high"] - part[f"{key}_interval"]["low"]
                for part in (entry, naive)
            ]
            assert widths[0] == pytest.approx(5**0.5 * widths[1], rel=0.15)


def test_copies_of_one_text_that_fill_a_slice_do_not_make_it_weak() -> None:
    some = drawn(4, 1000, 2)
    codes = np.repeat([0, 1], [15, 985])
    wrong = some.probabilities.copy()
    wrong[:9] = np.eye(2)[1 - some.y[:9]]
    rows = dataclasses.replace(some, probabilities=wrong)
    keys = np.array([0] * 9 + list(range(1, 992)), np.uint64)
    one, other = measured(rows, None, keys, kind=codes), measured(rows, kind=codes)
    assert other["kind=a"]["difference"] < 0
    assert other["kind=a"]["p_holm"] < 0.05 < one["kind=a"]["p_holm"]  # if each copy counts
    assert one["kind=a"]["effective_rows"] < 3
    assert one["kind=b"]["effective_rows"] == pytest.approx(
        985, rel=0.01
    )  # no text occurs twice there


# In a run


def test_rows_of_another_split_are_refused() -> None:
    train, test = drawn(1, 60, 2, "train"), drawn(2, 60, 2)
    for others in (
        test.take(slice(None, None, -1)),
        test.take(slice(50)),
        predictions([0, 1] * 50, [0.2, 0.8] * 50),
    ):
        slices = membership(others, kind=np.arange(len(others)) % 3)
        with pytest.raises(
            UserError, match="predictions must be of the test rows of data/splits, in their order"
        ):
            measure({"m": [train, test]}, params(), False, None, slices)


# Which are weak


def test_slices_are_ranked_by_evidence_of_weakness() -> None:
    entries = {
        "a=1": slice_of(0.2, 0.001),
        "a=2": slice_of(-0.1, 0.2),
        "a=3": slice_of(-0.2, 0.01),
        "a=4": slice_of(0.1, 0.9),
    }
    assert ranked(entries) == ["a=3", "a=2", "a=4", "a=1"]
    assert weak(entries, 0.95) == ["a=3"]
    assert list(describe_weak(entries, 0.95, "subset accuracy")) == [
        (
            "weak on a=3: subset accuracy 0.500 on 20 test rows, "
            "0.200 below the others, more than chance explains"
        )
    ]
    assert weak({"a=1": slice_of(0.2, 0.001)}, 0.95) == []


def test_decisions_follow_the_threshold() -> None:
    rows = predictions([1] * 20 + [0] * 20, [0.6, 0.4] * 20)
    assert measured(rows, decision=HALF, kind=rows.y)["kind=a"]["accuracy"] == 0.5


@pytest.mark.parametrize("metric", [None, "log_loss", "brier"])
def test_a_slice_of_several_labels_has_the_accuracy_of_exact_sets(metric: str | None) -> None:
    y, probabilities, decided = sample_sets(1, 200)
    codes = np.arange(200) % 2
    entry = measured(sets(y, probabilities), metric, decision=halves(5), kind=codes)["kind=b"]
    assert entry["accuracy"] == round(sk.accuracy_score(y[codes == 1], decided[codes == 1]), 6)
    if metric:
        columns = zip(y[codes == 1].T, probabilities[codes == 1].T, strict=True)
        score = sk.log_loss if metric == "log_loss" else sk.brier_score_loss
        assert entry[metric] == pytest.approx(
            np.mean([score(*column) for column in columns]), abs=1e-6
        )
        assert (
            entry[f"{metric}_interval"]["low"] < entry[metric] < entry[f"{metric}_interval"]["high"]
        )


def counts(keys: NDArray[np.uint64], values: int) -> NDArray[np.int64]:
    return np.bincount(keys.astype(np.int64), minlength=values)


@pytest.mark.parametrize("values", [200, 1000, 3000])
def test_a_slice_is_dependent_if_its_rows_or_the_others_are(values: int) -> None:
    generator = np.random.default_rng(values)
    answers = set()
    for _ in range(100):
        keys, inside = (
            generator.integers(0, values, 60).astype(np.uint64),
            generator.random(60) < 0.3,
        )
        parts = [counts(keys[some], values) for some in (inside, ~inside)]
        expected = any((part**2).sum() > LIMIT * part.sum() for part in parts)
        repeats = Repeats(keys)
        (members,) = repeats.members(inside.astype(np.int64) - 1, 1)
        assert repeats.are_dependent(members, inside.sum(), 60) == expected
        answers.add(bool(expected))
    assert answers == {True, False}


def test_without_rows_nothing_is_dependent() -> None:
    repeats = Repeats(np.zeros(0, np.uint64))
    assert [each.tolist() for each in repeats.members(np.zeros(0, np.int64), 2)] == [[], []]
    assert not repeats.are_dependent(np.zeros(0, np.int64), 0, 0)


@pytest.mark.parametrize(
    "whole", [True, False], ids=["slices of whole clusters", "slices across clusters"]
)
def test_rows_are_worth_what_simulated_clusters_say(whole: bool) -> None:
    generator = np.random.default_rng(5)
    sizes = generator.integers(1, 9, 2000)
    clusters = np.repeat(np.arange(2000), sizes)
    inside = (
        clusters % 3 == 0 if whole else generator.random(len(clusters)) < 0.3 + 0.4 * (clusters % 2)
    )
    repeats, means, differences, worths = Repeats(clusters.astype(np.uint64)), [], [], []
    (members,) = repeats.members(inside.astype(np.int64) - 1, 1)
    for _ in range(500):
        scores = np.sqrt(0.6) * generator.normal(size=2000)[clusters] + np.sqrt(
            0.4
        ) * generator.normal(size=len(inside))
        right = scores < 1
        means.append(right[inside].mean())
        differences.append(means[-1] - right[~inside].mean())
        worths.append(
            Correct(repeats, right).worth(members, inside.sum(), (right & inside).sum(), 0.95)
        )
    share = np.mean(means)
    independent = (
        share * (1 - share) / np.array([inside.sum(), 1 / (1 / inside.sum() + 1 / (~inside).sum())])
    )
    assert np.mean(worths, axis=0)[:2] == pytest.approx(
        independent / np.var([means, differences], axis=1), rel=0.15
    )


@pytest.mark.parametrize("alike", [True, False])
def test_with_few_mistakes_the_rows_of_a_slice_are_as_alike_as_those_of_all_clusters(
    alike: bool,
) -> None:
    """Ten clusters of five rows, of which few have a mistake, beside thirty that have more."""
    clusters, rows = np.repeat(np.arange(40), 5), np.arange(200)
    right = clusters % 3 != 0 if alike else rows % 3 != 0
    right[:45] = True
    repeats = Repeats(clusters.astype(np.uint64))
    (members,) = repeats.members((clusters < 10).astype(np.int64) - 1, 1)
    worth = Correct(repeats, right).worth(members, 50, right[:50].sum(), 0.95)
    effective = 10 if alike else 50
    degrees = effective - 1
    few = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, degrees)) ** 2
    assert worth.mean == pytest.approx(effective * few / 50, rel=0.05)
    assert worth.difference == pytest.approx(effective / 50, rel=0.05)
    assert worth.degrees == pytest.approx(degrees, rel=0.1)


def test_with_few_clusters_with_a_mistake_among_all_rows_those_of_a_cluster_are_alike() -> None:
    clusters = np.repeat(np.arange(40), 5)
    repeats, right = Repeats(clusters.astype(np.uint64)), np.ones(200, dtype=bool)
    right[:20:5] = False  # in four clusters
    (members,) = repeats.members((clusters < 10).astype(np.int64) - 1, 1)
    worth = Correct(repeats, right).worth(members, 50, right[:50].sum(), 0.95)
    assert worth.difference == pytest.approx(0.2)
    assert worth.degrees == 9


@pytest.mark.parametrize("degrees", [4.5, 20])
def test_few_degrees_of_freedom_make_a_test_students_at_its_own_level(degrees: float) -> None:
    """Of many rows, whose intervals are normal; also for p-values far below their level."""
    error = np.sqrt(2 * 0.5 * 0.5 / 100_000)
    for gap in (400, 800, 1600):
        counts = np.array([[50_000, 100_000, 50_000 + gap, 100_000]], float)
        ends = compare_shares(counts, np.array([degrees]), 0.95)
        low, high, p = (float(each[0]) for each in ends)
        assert p == pytest.approx(2 * stats.t.sf(gap / 100_000 / error, degrees), rel=0.02)
        assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, degrees) * error, rel=0.01)
