"""Prediction sets on the test rows, and the curve of error against the share answered."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.refusal import refusal
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
    three_splits,
)
from textclf.artifacts.conformal import Conformal
from textclf.artifacts.decisions import Decision, Temperature
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.core.errors import UserError
from textclf.core.result_files import check, to_json
from textclf.evaluate import curves
from textclf.evaluate.coverage import fit_sets, measure_sets
from textclf.evaluate.curves import FEWEST_POINT_ROWS, risk_coverage_table
from textclf.evaluate.intervals import wilson
from textclf.evaluate.results import Coverage
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.split_metrics import SplitMetrics

COVERED = params(coverage=0.9)


def run(seed: int = 0, classes: int = 3, validation: int = 120, test: int = 150) -> Predictions:
    parts = ("train", 60), ("validation", validation), ("test", test)
    return concatenate(
        [drawn(seed + n, rows, classes, split) for n, (split, rows) in enumerate(parts)]
    )


def sets_of(
    rows: Predictions,
    settings: Evaluate = COVERED,
    decision: Decision = TOP,
    clusters: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Return the report of a model; `clusters` are those of its test rows."""
    validation, test = (
        SplitMetrics(
            name, {"a": rows.take(rows.split == name)}, {"a": decision}, settings, False, of
        )
        for name, of in (("validation", None), ("test", clusters))
    )
    report: dict[str, Any] = to_json(measure_sets(test, fit_sets(validation, settings), settings))
    assert to_json(check(Coverage, report, "coverage.json")) == report
    return report


def test_without_a_coverage_nothing_is_fitted_or_sets_of() -> None:
    assert sets_of(run(), params()) == {}
    assert fit_sets(None, params()) == {}


@given(SEEDS, st.sampled_from([0.6, 0.8, 0.9, 0.95]), st.booleans())
def test_the_numbers_are_those_of_a_plain_reference(
    seed: int, level: float, by_class: bool
) -> None:
    rows, settings = run(seed), params(coverage=level, coverage_by_class=by_class)
    report = sets_of(rows, settings)
    model, protocol = report["a"], report["protocol"]
    assert protocol == {"coverage": level, "by_class": int(by_class), "validation_rows": 120}
    validation, test = (rows.take(rows.split == name) for name in ("validation", "test"))
    fitted = Conformal.fit(validation.y, validation.probabilities, by_class)
    sets = [set(np.flatnonzero(row).tolist()) for row in fitted.sets(test.probabilities, level)]
    actual = test.y.tolist()
    covered = [y in each for y, each in zip(actual, sets, strict=True)]
    single = [each == {y} for y, each in zip(actual, sets, strict=True) if len(each) == 1]
    ends = wilson(sum(covered), 150)
    assert model["coverage"] == pytest.approx(
        {"value": sum(covered) / 150, "low": ends.low, "high": ends.high, "rows": 150}, abs=1e-6
    )
    assert model["set_size"] == pytest.approx(sum(map(len, sets)) / 150, abs=1e-6)
    assert model["empty"] == pytest.approx(sets.count(set()) / 150, abs=1e-6)
    assert model["answered"] == pytest.approx(len(single) / 150, abs=1e-6)
    assert model["several"] == pytest.approx(sum(len(each) > 1 for each in sets) / 150, abs=1e-6)
    if single:
        assert model["accuracy"]["value"] == pytest.approx(sum(single) / len(single), abs=1e-6)
        assert model["accuracy"]["rows"] == len(single)
    else:
        assert model["accuracy"] is None
    for place, (label, cell) in enumerate(model["classes"].items()):
        of_class = [inside for y, inside in zip(actual, covered, strict=True) if y == place]
        assert label == f"c{place}"
        assert (cell["rows"], cell["value"]) == (
            len(of_class),
            pytest.approx(sum(of_class) / len(of_class), abs=1e-6),
        )


def test_calibrated_probabilities_are_compared_with_calibrated_ones() -> None:
    rows = run(classes=2)
    cold, warm = (
        sets_of(rows, decision=Decision(0.5, each))["a"] for each in (None, Temperature(3.0))
    )
    assert cold == warm  # of two classes a temperature changes no set


def test_a_model_that_ignores_the_text_answers_no_row() -> None:
    splits = ["validation"] * 40 + ["test"] * 20
    y = np.tile([0, 1], 30)
    rows = predictions(y, np.full(60, 0.5))
    model = sets_of(
        Predictions(rows.ids, np.array(splits), y, rows.probabilities, rows.classes), decision=HALF
    )["a"]
    assert (model["answered"], model["several"], model["accuracy"]) == (0.0, 1.0, None)
    assert model["coverage"]["value"] == 1.0
    assert model["set_size"] == 2.0


def test_a_class_without_test_rows_has_no_coverage() -> None:
    rows = run()
    kept = rows.take((rows.split != "test") | (rows.y != 2))
    assert sets_of(kept)["a"]["classes"]["c2"] is None


@pytest.mark.parametrize(
    ("level", "by_class", "said"),
    [
        (0.99, False, "0.975609 for 40 validation rows; got 0.99, which takes at least 99 of them"),
        (
            0.95,
            True,
            (
                "0.933333 for 14 validation rows of class yes; got 0.95, "
                "which takes at least 19 of them"
            ),
        ),
    ],
)
def test_too_few_validation_rows_for_a_coverage_are_told(
    level: float, by_class: bool, said: str
) -> None:
    line = refusal(
        sets_of, three_splits(), params(coverage=level, coverage_by_class=by_class), HALF
    )
    assert (
        line == f"evaluate.coverage must be at most {said}; "
        "raise split.validation_size or lower the coverage"
    )


def fitted(
    rows: Predictions, settings: Evaluate, clusters: NDArray[np.int64] | None = None
) -> Conformal:
    decision = halves(5) if rows.y.ndim == 2 else TOP
    return fit_sets(
        SplitMetrics("validation", {"a": rows}, {"a": decision}, settings, False, clusters),
        settings,
    )["a"]


@pytest.mark.parametrize("by_class", [False, True])
def test_repeated_validation_rows_are_worth_the_rows_that_they_repeat(by_class: bool) -> None:
    rows = drawn(4, 400, 2, "validation")
    five, keys = rows.take(np.repeat(np.arange(400), 5)), np.repeat(np.arange(400), 5)
    settings = params(coverage=0.9, coverage_by_class=by_class)
    once, repeated = fitted(rows, settings), fitted(five, settings, keys)
    for group, of_five in zip(once.groups, repeated.groups, strict=True):
        assert of_five.rows == 5 * group.rows
        assert 0.97 * group.rows < of_five.independent <= group.rows == group.independent
    new = drawn(5, 1000, 2).probabilities
    assert (once.sets(new, 0.9) <= repeated.sets(new, 0.9)).all()
    assert repeated.sets(new, 0.9).sum() < 1.02 * once.sets(new, 0.9).sum()


def test_sets_cover_new_rows_where_larger_clusters_are_harder() -> None:
    generator, shares = np.random.default_rng(0), []
    keys = np.repeat(np.arange(275), np.repeat([1, 10], [250, 25]))
    first = np.unique(keys, return_index=True)[1]
    for _ in range(200):
        shared, own = generator.normal(size=(2, 275)), generator.normal(size=(2, 500))
        odds = np.where(np.arange(500) < 250, 3.0, 1.5) + 0.8 * shared[:, keys] + 0.6 * own
        right, new = 1 / (1 + np.exp(-odds))
        rows = predictions(np.ones(500), right, split="validation")
        fits = fitted(rows, COVERED, keys), fitted(rows.take(first), COVERED)
        shares.append(
            [each.sets(np.column_stack([1 - new, new]), 0.9)[:, 1].mean() for each in fits]
        )
    covered, of_one = np.mean(shares, axis=0)
    assert 0.895 < covered < 0.92
    assert of_one < 0.85  # one row of each cluster is easier than most rows


def test_too_few_independent_rows_for_a_coverage_are_told() -> None:
    line = refusal(
        fitted, drawn(4, 20, 2, "validation"), COVERED, np.repeat(np.arange(4, dtype=np.int64), 5)
    )
    said = (
        "for 20 validation rows, worth 4 independent ones; got 0.9, "
        "which takes at least 9 independent ones; raise"
    )
    assert said in line


def test_rows_that_repeat_each_other_give_a_wider_interval() -> None:
    rows = run(test=150)
    test = rows.split == "test"
    repeated = np.concatenate([np.flatnonzero(~test), np.repeat(np.flatnonzero(test), 4)])
    four = rows.take(repeated)
    groups = np.repeat(np.arange(150), 4)
    reports = [sets_of(rows), sets_of(four), sets_of(four, clusters=groups)]
    once, taken_as_independent, dependent = (report["a"]["coverage"] for report in reports)
    assert once["value"] == taken_as_independent["value"] == dependent["value"]
    cells = (once, taken_as_independent, dependent)
    width = {name: each["high"] - each["low"] for name, each in zip("otd", cells, strict=True)}
    assert width["t"] < 0.6 * width["o"]
    assert width["d"] == pytest.approx(width["o"], rel=0.05)


# Error against the share answered


def test_a_risk_coverage_curve_has_the_error_of_the_most_confident_rows() -> None:
    rows = drawn(3, 60)
    table = exact({"a": rows}, TOP).tables("a")["risk_coverage"]
    top = rows.probabilities.argmax(axis=1)
    confidence = rows.probabilities.max(axis=1)
    for answered, error in zip(table["share_answered"], table["error"], strict=True):
        limit = np.sort(confidence)[::-1][round(answered * 60) - 1]
        assert error == pytest.approx((top != rows.y)[confidence >= limit].mean())
        assert round(answered * 60) == (confidence >= limit).sum() >= FEWEST_POINT_ROWS
    assert table["share_answered"].iloc[-1] == 1.0


def test_with_a_threshold_the_confidence_is_that_of_the_decided_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(curves, "FEWEST_POINT_ROWS", 1)
    rows = predictions([1, 1, 0, 0], [0.9, 0.4, 0.2, 0.3])
    first, second = (
        exact({"a": rows}, Decision(each)).tables("a")["risk_coverage"] for each in (0.35, 0.25)
    )
    assert first["error"].tolist() == [0, 0, 0, 0]  # 0.9, 0.8, 0.7 and last 0.4
    assert second["error"].tolist() == [0, 0, 0, 0.25]  # the last is the row of 0.3


def test_points_of_few_rows_are_left_out_unless_there_are_no_others() -> None:
    counts = np.array([1, 1, 2]), np.array([2, 9, 18])
    assert risk_coverage_table(counts)["share_answered"].tolist() == [0.5, 1.0]
    few = np.array([0, 1]), np.array([2, 2])
    assert risk_coverage_table(few)["error"].tolist() == [1 / 3, 1 / 3]


def test_a_model_of_one_confidence_has_the_same_error_whatever_it_answers() -> None:
    table = exact({"a": predictions([1, 0, 0, 0], [0.5] * 4)}, HALF).tables("a")["risk_coverage"]
    assert (table["share_answered"].tolist(), table["error"].tolist()) == ([0, 1], [0.25, 0.25])


def test_sets_of_several_labels_are_fitted_and_measured_on_rows_with_labels() -> None:
    rows = concatenate(
        [sets(*sample_sets(n, 200)[:2], split) for n, split in enumerate(("validation", "test"))]
    )
    report = sets_of(rows, params(coverage=0.8), halves(5))
    validation, test = (
        rows.take((rows.split == name) & rows.y.any(axis=1)) for name in ("validation", "test")
    )
    assert 50 < len(validation) < 200 != report["protocol"]["validation_rows"] == len(validation)
    own_sets = Conformal.fit(validation.y, validation.probabilities, False).sets(
        test.probabilities, 0.8
    )
    has = test.y == 1
    shares = (own_sets & has).sum(axis=1) / has.sum(axis=1)
    coverage = report["a"]["coverage"]
    assert (coverage["value"], coverage["rows"]) == (round(shares.mean(), 6), len(test))
    assert coverage["low"] < coverage["value"] < coverage["high"]
    assert report["a"]["rows"] == 200
    assert report["a"]["classes"]["l3"]["value"] == round(own_sets[has[:, 3], 3].mean(), 6)
    assert report["a"]["accuracy"] is None
    same = sets_of(rows, params(coverage=0.8), halves(5), np.repeat(np.arange(100), 2))["a"][
        "coverage"
    ]
    assert same["low"] < coverage["low"]


def test_sets_are_measured_on_test_rows_without_any_label() -> None:
    rows = concatenate(
        [sets(*sample_sets(n, 200)[:2], split) for n, split in enumerate(("validation", "test"))]
    )
    rows.y[rows.split == "test"] = 0
    report = sets_of(rows, params(coverage=0.8), halves(5))
    assert report["a"]["coverage"] is None
    assert set(report["a"]["classes"].values()) == {None}


def test_rows_without_labels_do_not_help_to_reach_a_coverage() -> None:
    y, probabilities, _ = sample_sets(1, 200)
    y[7:] = 0
    with pytest.raises(
        UserError, match=r"at most 0\.\d+ for \d validation rows? with labels; got 0.9"
    ):
        fitted(sets(y, probabilities, "validation"), COVERED)
