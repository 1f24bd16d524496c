"""Splits of many rows, measured by sums and histograms, against the same rows measured one by one."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textclf.artifacts import predictions
from textclf.core.errors import UserError
from textclf.evaluate import evaluation, histograms, statistics
from textclf.evaluate.histograms import Histogram, Tally
from textclf.params import Evaluate

Tables = dict[str, pd.DataFrame]
CURVES = {"roc": ["false_positive_rate", "true_positive_rate"], "precision_recall": ["recall", "precision"]}


def params(**changes: object) -> Evaluate:
    lesson: dict[str, object] = {
        "threshold": 0.5,
        "target_precision": 0.9,
        "calibration": "none",
        "confidence": 0.95,
        "resamples": 2000,
        "seed": 0,
    }
    return Evaluate.model_validate(lesson | changes)


def made(classes: int = 2, count: int = 900, names: tuple[str, ...] = ("a", "b")) -> Tables:
    """Predictions of models for the same rows of three splits, with ties among the probabilities."""
    generator = np.random.default_rng(classes)
    y = np.concatenate([np.arange(classes), generator.integers(0, classes, count - classes)])
    split = np.repeat(["train", "validation", "test"], [count // 2, count // 4, count - count // 2 - count // 4])
    tables = {}
    for place, name in enumerate(names):
        raw = np.round(generator.dirichlet(np.ones(classes), count) + 0.3 * np.eye(classes)[y], 2) + 0.01 + place / 100
        shares = raw / raw.sum(axis=1, keepdims=True)
        columns = {f"{predictions.PREFIX}c{n}": shares[:, n] for n in range(classes)}
        labels = [f"c{n}" for n in y]
        tables[name] = pd.DataFrame({"id": [f"r:{n}" for n in range(count)], "split": split, "label": labels} | columns)
    return tables


def pieces(tables: Tables, rows: int = 100) -> dict[str, list[pd.DataFrame]]:
    """The tables cut into batches."""
    return {
        name: [table[start : start + rows] for start in range(0, len(table), rows)] for name, table in tables.items()
    }


def both(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, chosen: Evaluate, stratified: bool = False
) -> Iterator[tuple[evaluation.Measured, evaluation.Measured]]:
    """Each split, measured by sums and row by row."""
    small, few = evaluation.measure({name: [table] for name, table in tables.items()}, chosen, stratified)
    monkeypatch.setattr(evaluation, "EXACT", 10)
    large, many = evaluation.measure(pieces(tables), chosen, stratified)
    assert list(large) == list(small) == ["train", "validation", "test"]
    assert_close(many, few)
    for split in small:
        assert isinstance(large[split], evaluation.Sums)
        assert isinstance(small[split], evaluation.Rows)
        yield large[split], small[split]


def assert_close(found: Any, expected: Any, tolerance: float = 1.1e-6) -> None:
    """The same keys, and the same numbers but for the rounding of the last digit."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_close(found[key], value, tolerance)
    else:
        assert found == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("chosen", [params(), params(calibration="temperature")])
def test_what_is_exact_is_the_same_by_sums_and_row_by_row(
    classes: int, chosen: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for large, small in both(made(classes, count=600), monkeypatch, chosen):
        for name in ("a", "b"):
            found, expected = large.metrics(name), small.metrics(name)
            assert isinstance(large, evaluation.Sums)
            area = max(histogram.bound for histogram in large.tallies[name].scores.values()) + 1e-6
            assert area < 0.01  # ties among them
            assert found.pop("roc_auc") == pytest.approx(expected.pop("roc_auc"), abs=area)
            assert_close(found, expected)
            ends, rows = large.intervals(name), small.intervals(name)
            assert ends.keys() == rows.keys()
            assert ends["accuracy"] == rows["accuracy"]
            classed, by_rows = large.by_class(name), small.by_class(name)
            assert classed.columns.tolist() == by_rows.columns.tolist()
            exact = ["split", "class", "support", "precision", "recall", "recall_low", "recall_high", "f1"]
            assert classed[exact].equals(by_rows[exact])
            assert classed["roc_auc"].to_numpy() == pytest.approx(by_rows["roc_auc"].to_numpy(), abs=area)
            assert large.confusion(name).equals(small.confusion(name))
            pd.testing.assert_frame_equal(large.reliability(name), small.reliability(name))
        found, expected = large.comparisons()["b_vs_a"], small.comparisons()["b_vs_a"]
        width = expected["high"] - expected["low"]
        for end in ("low", "high"):
            assert found.pop(end) == pytest.approx(expected.pop(end), abs=0.1 * width)
        assert found == expected


def test_a_threshold_is_the_same_by_sums_and_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    for large, small in both(made(), monkeypatch, params(resamples=100, threshold="f1", calibration="platt")):
        assert large.confusion("a").equals(small.confusion("a"))


def test_curves_of_few_scores_are_the_same_by_sums_and_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {name: table.round(2) for name, table in made().items()}
    for large, small in both(tables, monkeypatch, params(resamples=100)):
        for curve in CURVES:
            found, expected = (getattr(measured, curve)("a").reset_index(drop=True) for measured in (large, small))
            pd.testing.assert_frame_equal(found, expected)


def noisy(count: int, classes: int = 2) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    generator = np.random.default_rng(1)
    y = generator.integers(0, classes, count)
    odds = generator.normal(np.eye(classes)[y] * 1.5, 1.2)
    return y, np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)


def test_curves_of_many_scores_are_thinned_and_stay_near() -> None:
    y, table = noisy(50_000)
    histogram = Histogram()
    histogram.add(y == 1, table[:, 1])
    false, true = histogram.falling()
    kept = histograms.thinned(false, true)
    assert len(kept) <= 2 * histograms.STEPS + 2 < len(false) / 5
    assert (kept[0], kept[-1]) == (0, len(false) - 1)
    rates = (false / false[-1] + true / true[-1])[kept]
    # Between two that are kept others lie, or the curve has no point there.
    assert all(
        after - before <= 2 / histograms.STEPS + 1e-9 or there - here == 1
        for (before, after), (here, there) in zip(pairwise(rates), pairwise(kept), strict=True)
    )
    kept = histograms.thinned_by_recall(false, true)
    assert len(kept) <= 2 * histograms.STEPS + 2
    assert np.diff((true / true[-1])[kept]).max() <= 1 / histograms.STEPS + 1e-9


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
def test_intervals_of_20_000_rows_agree_with_the_bootstrap_of_the_rows(classes: int, stratified: bool) -> None:
    y, table = noisy(evaluation.EXACT, classes)
    decided = table.argmax(axis=1)
    tally = Tally(classes)
    tally.add(y, table, decided)
    if classes > 2:
        tally.add_influences(y, table)
    rows = statistics.bootstrap(y, {"a": (table, decided)}, 0, 500, stratified)["a"]
    cells = tally.draws(0, 2000, stratified)
    found = tally.means(0.95, stratified) | {name: statistics.percentile(draws) for name, draws in cells.items()}
    single = [name for name, draws in rows.items() if draws.ndim == 1 and name != "ece"]
    assert {"log_loss", "brier", "roc_auc", "mcc", "balanced_accuracy"} < set(single)
    for name in single:
        low, high = statistics.percentile(rows[name])
        # 500 resamples move an end by about 6% of the width; all are of one sample.
        assert found[name] == pytest.approx((low, high), abs=0.12 * (high - low)), name
        width, spread = found[name].high - found[name].low, 2 * 1.96 * rows[name].std()
        assert width == pytest.approx(spread, rel=0.1), name
    for place in range(classes):
        spread = 2 * 1.96 * rows["class_roc_auc"][:, place].std()
        ends = tally.area_interval(place, 0.95)
        assert ends.high - ends.low == pytest.approx(spread, rel=0.1)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    y, table = noisy(160_000)
    truth = statistics.weighted_metrics(y, table, table.argmax(axis=1), np.ones((1, len(y))))
    inside = dict.fromkeys(("log_loss", "brier", "roc_auc", "f1", "mcc"), 0)
    parts = 80
    for part, scores in zip(np.split(y, parts), np.split(table, parts), strict=True):
        tally = Tally(2)
        tally.add(part, scores, scores.argmax(axis=1))
        draws = tally.draws(0, 200, stratified=False)
        found = tally.means(0.95, stratified=False) | {
            name: statistics.percentile(draws[name]) for name in ("f1", "mcc")
        }
        for name in inside:
            inside[name] += found[name].low <= truth[name][0] <= found[name].high
    assert all(0.88 <= count / parts <= 1 for count in inside.values()), inside


def test_an_interval_stays_within_what_the_metric_can_be() -> None:
    tally = Tally(2)
    y = np.array([0, 0, 1, 1])
    scores = np.array([0.1, 0.8, 0.7, 0.9])
    tally.add(y, np.column_stack([1 - scores, scores]), (scores > 0.5).astype(int))
    ends = tally.means(0.95, stratified=False)
    assert ends["roc_auc"].high == 1
    assert ends["log_loss"].low >= 0


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(4, 13))
def test_a_higher_score_never_lies_in_a_lower_bin(scores: list[float], bits: int) -> None:
    histogram = Histogram(bits)
    places = histogram.places(np.sort(np.array(scores)))
    assert (np.diff(places) >= 0).all()
    assert places[0] >= 0
    assert places[-1] < len(histogram.counts) / 2


def test_bins_are_narrow_in_relation_to_the_odds() -> None:
    histogram = Histogram()
    for score in (1e-12, 0.003, 0.3, 0.5 - 1e-3, 0.5 + 1e-3, 0.99, 1 - 1e-9):
        odds = score / (1 - score) * 1.001
        assert np.diff(histogram.places(np.array([score, odds / (1 + odds)]))) > 0
    middle = histogram.places(np.array([np.nextafter(0.5, 0), 0.5, np.nextafter(0.5, 1)]))
    assert (np.diff(middle) == 1).all()  # what a threshold of 1/2 parts


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(4, 13), st.integers(2, 300))
def test_an_area_is_off_by_no_more_than_its_bound(seed: int, bits: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    positive, scores = generator.integers(0, 2, count) == 1, generator.normal(0.5, 0.02, count).clip(0, 1)
    positive[:2] = False, True
    histogram = Histogram(bits)
    histogram.add(positive, scores)
    table = np.column_stack([1 - scores, scores])
    exact = statistics.weighted_metrics(positive.astype(int), table, positive.astype(int), np.ones((1, count)))
    assert abs(histogram.area - exact["roc_auc"][0]) <= histogram.bound + 1e-12


def test_areas_of_a_class_without_rows_are_not_defined() -> None:
    tally = Tally(3)
    y = np.array([0, 0, 1, 1] * 5)
    table = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    tally.add(y, table, table.argmax(axis=1))
    expected = statistics.weighted_metrics(y, table, table.argmax(axis=1), np.ones((1, 20)))
    found = tally.metrics()
    assert found.keys() == expected.keys()
    assert "roc_auc" not in found
    assert np.isnan(found["class_roc_auc"][0]).tolist() == [False, False, True]


def test_room_does_not_grow_with_the_classes_by_much() -> None:
    sizes = {classes: sum(part.counts.nbytes for part in Tally(classes).scores.values()) for classes in (2, 3, 30, 300)}
    assert max(sizes.values()) < 20e6


def test_a_table_drawn_anew_keeps_its_rows_and_where_stratified_its_classes() -> None:
    table = np.array([[5, 0, 3], [0, 0, 0], [1, 90, 2]])
    free = np.concatenate(list(statistics.redrawn(table, 0, 300, stratified=False)))
    fixed = np.concatenate(list(statistics.redrawn(table, 0, 300, stratified=True)))
    assert free.shape == fixed.shape == (300, 3, 3)
    assert set(free.sum(axis=(1, 2)).tolist()) == {101}
    assert (fixed.sum(axis=2) == table.sum(axis=1)).all()
    assert len(set(free.sum(axis=2)[:, 0].tolist())) > 5
    assert not free[:, table == 0].any()
    assert free.mean(axis=0) == pytest.approx(table, abs=1)
    assert np.array_equal(free, np.concatenate(list(statistics.redrawn(table, 0, 300, stratified=False))))
    assert not np.array_equal(free, np.concatenate(list(statistics.redrawn(table, 1, 300, stratified=False))))


def test_the_variance_of_a_mean_is_that_within_the_classes_where_these_are_fixed() -> None:
    groups = [np.array([1.0, 2.0, 3.0]), np.array([10.0, 10.0, 14.0, 18.0]), np.array([])]
    rows = np.array([3, 4, 0])
    sums = np.array([part.sum() for part in groups]), np.array([(part**2).sum() for part in groups])
    every = np.concatenate(groups)
    assert statistics.variance_of_mean(rows, *sums, stratified=False) == pytest.approx(every.var() / 7)
    within = sum(len(part) * part.var() for part in groups[:2]) / 7**2
    assert statistics.variance_of_mean(rows, *sums, stratified=True) == pytest.approx(within)


def test_small_splits_beside_large_ones_are_measured_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EXACT", 300)
    measured, _ = evaluation.measure(pieces(made()), params(resamples=100), False)
    assert [type(part).__name__ for part in measured.values()] == ["Sums", "Rows", "Rows"]


def test_batches_say_the_same_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "EXACT", 10)
    found = [
        evaluation.measure(pieces(made(3), rows), params(resamples=100), True)[0]["test"].intervals("a")
        for rows in (7, 100, 10_000)
    ]
    assert found[0] == found[1] == found[2]


def test_choices_fall_on_every_second_validation_row_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made(2, 1000)["a"]
    validation = evaluation.arrays(table[table["split"] == "validation"])
    for limit, step in ((500, 1), (499, 2), (249, 4), (124, 8)):
        monkeypatch.setattr(evaluation, "CHOOSING", limit)
        for rows in (3, 10, 17, 1000):
            y, scores = evaluation._validation(pieces({"a": table}, rows)["a"])
            assert np.array_equal(y, validation[0][::step]), (limit, rows)
            assert np.array_equal(scores, validation[1][::step])


def test_models_of_other_rows_are_an_error() -> None:
    tables = made()
    other = tables["b"].assign(label=tables["b"]["label"].to_numpy()[::-1])
    with pytest.raises(UserError, match="b has others than a"):
        evaluation.measure({"a": [tables["a"]], "b": [other]}, params(), False)
    with pytest.raises(UserError, match="one has more than another"):
        evaluation.measure({"a": [tables["a"]], "b": [tables["b"]] * 2}, params(), False)


def test_files_are_read_as_often_as_they_are_needed(tmp_path: Path) -> None:
    tables = made(3)
    for name, table in zip(("majority", "keras"), tables.values(), strict=True):
        predictions.write_batches(pieces({"a": table})["a"], tmp_path / f"{name}.parquet")
    models = evaluation.open_models(tmp_path, ("majority", "keras"))
    first, second = (evaluation.measure(models, params(resamples=100), False)[0]["test"].metrics("keras") for _ in "ab")
    table = evaluation.decide(tables["b"][tables["b"]["split"] == "test"], None)
    assert first == second == evaluation.metrics(table)
