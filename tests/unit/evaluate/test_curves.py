"""Curves and tables against scikit-learn."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from tests.unit.evaluate.samples import HALF, TOP, exact, halves, predictions, sets
from textclf.artifacts.predictions import Predictions
from textclf.core.files import CURVES
from textclf.evaluate.curves import STEPS, corners, positive_counts, stack_models, thin, thin_roc


def test_confusion_counts_each_pair_of_classes_that_has_rows() -> None:
    table = exact({"a": predictions([1, 1, 1, 0], [0.9, 0.9, 0.2, 0.1])}).tables("a")["confusion"]
    assert table.to_numpy(dtype=object).tolist() == [
        ["no", "no", 1, 1.0],
        ["yes", "no", 1, pytest.approx(1 / 3)],
        ["yes", "yes", 2, pytest.approx(2 / 3)],
    ]


@st.composite
def outputs(draw: st.DrawFn) -> Predictions:
    """Return predictions with few or many rows, with or without ties and empty classes."""
    classes, rows = draw(st.integers(2, 4)), draw(st.integers(1, 40))
    levels = draw(st.integers(1, 12))  # with one level all scores are equal
    score = (
        st.integers(1, levels).map(lambda level: level / 12)
        if draw(st.booleans())
        else st.floats(0, 1)
    )
    scores = draw(
        st.lists(st.lists(score, min_size=classes, max_size=classes), min_size=rows, max_size=rows)
    )
    y = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    return predictions(y, np.array(scores))


@given(outputs())
def test_curves_and_confusion_equal_those_of_scikit_learn_to_the_bit(rows: Predictions) -> None:
    decision = HALF if len(rows.classes) == 2 else TOP
    part = exact({"a": rows}, decision)
    counts = sk.confusion_matrix(
        rows.y, decision.decide(rows.probabilities), labels=range(len(rows.classes))
    )
    assert part.tables("a")["confusion"]["count"].dtype == counts.dtype
    assert np.array_equal(part.tables("a")["confusion"]["count"], counts[counts > 0])
    roc, precision_recall = part.tables("a")["roc"], part.tables("a")["precision_recall"]
    assert roc.columns.tolist() == ["class", "false_positive_rate", "true_positive_rate"]
    assert precision_recall.columns.tolist() == ["class", "recall", "precision"]
    names = list(rows.classes[len(rows.classes) == 2 :])  # binary: the positive class alone
    assert roc["class"].unique().tolist() == precision_recall["class"].unique().tolist() == names
    for name in names:
        place = rows.classes.index(name)
        actual, scores = rows.y == place, rows.probabilities[:, place]
        with warnings.catch_warnings():  # of scikit-learn: no positive or no negative samples
            warnings.simplefilter("ignore")
            false_positive_rate, true_positive_rate, _ = sk.roc_curve(actual, scores)
            precision, recall, _ = sk.precision_recall_curve(actual, scores, drop_intermediate=True)
        if (
            len(np.unique(scores)) == 1
        ):  # scikit-learn draws a line to a precision of 1, which no threshold reaches
            precision[-1] = precision[0]
        curve = roc[roc["class"] == name]
        assert np.array_equal(curve["false_positive_rate"], false_positive_rate, equal_nan=True)
        assert np.array_equal(curve["true_positive_rate"], true_positive_rate, equal_nan=True)
        curve = precision_recall[precision_recall["class"] == name]
        assert np.array_equal(curve["recall"], recall[::-1])
        assert np.array_equal(curve["precision"], precision[::-1])


def test_tables_of_models_are_stacked() -> None:
    stacked = stack_models({"b": pd.DataFrame({"x": [1, 2]}), "a": pd.DataFrame({"x": [3]})})
    assert stacked.columns.tolist() == ["model", "x"]
    assert stacked.to_numpy(dtype=object).tolist() == [["b", 1], ["b", 2], ["a", 3]]


def test_no_table_gives_the_columns_alone() -> None:
    stacked = stack_models({}, ("epoch", "loss"))
    assert stacked.columns.tolist() == ["model", "epoch", "loss"]
    assert len(stacked) == 0


def test_of_many_classes_those_with_the_most_mistakes_of_models_that_vary_have_curves() -> None:
    count = CURVES + 8
    y = np.tile(np.arange(count), 9)
    decided = y.copy()
    for place, mistakes in (
        (count - 1, 7),
        (5, 4),
        (count - 2, 2),
    ):  # each taken for class 0, which has them all
        decided[np.flatnonzero(y == place)[:mistakes]] = 0
    right, constant = np.eye(count)[decided], np.tile(np.eye(count)[3], (len(y), 1))
    for others in ({}, {"constant": predictions(y, constant)}):
        tables = exact({"a": predictions(y, right), **others}, TOP).tables("a")
        for name in ("roc", "precision_recall"):
            shown = list(dict.fromkeys(tables[name]["class"]))
            assert shown[:4] == ["c0", f"c{count - 1}", "c5", f"c{count - 2}"]
            assert len(shown) == CURVES
    few = exact({"a": predictions(y % CURVES, np.eye(CURVES)[decided % CURVES])}, TOP).tables("a")[
        "roc"
    ]
    assert list(dict.fromkeys(few["class"])) == [
        f"c{place}" for place in range(CURVES)
    ]  # in their order


def test_of_many_labels_one_that_no_row_has_gives_its_curve_to_another() -> None:
    y = np.zeros((40, CURVES + 1), dtype=np.int8)
    y[::2, 1:] = 1
    probabilities = np.where(y == 1, 0.9, 0.1)
    probabilities[:, 0] = np.linspace(0, 1, 40)  # decided often, and always wrongly
    roc = exact({"a": sets(y, probabilities)}, halves(CURVES + 1)).tables("a")["roc"]
    assert set(roc["class"]) == {f"l{place}" for place in range(1, CURVES + 1)}


def test_curves_of_many_scores_are_thinned_and_stay_near() -> None:
    generator = np.random.default_rng(1)
    positive = generator.integers(0, 2, 50_000) == 1
    false, true = positive_counts(
        positive, 1 / (1 + np.exp(-generator.normal(1.5 * positive - 0.75, 1.2)))
    )
    kept = thin_roc((false, true))
    points = np.searchsorted(false + true, kept[0] + kept[1])
    assert len(points) <= 2 * STEPS + 2 < len(false) / 5
    assert (points[0], points[-1]) == (0, len(false) - 1)
    rates = (false / false[-1] + true / true[-1])[points]
    order = np.searchsorted(corners(false, true), points)
    # Between two corners that remain there are others within a step, or the curve has none there.
    assert all(
        after - before <= 2 / STEPS + 1e-9 or following - point == 1
        for (before, after), (point, following) in zip(
            pairwise(rates), pairwise(order), strict=True
        )
    )
    _, thinned = thin((false, true), true / true[-1])
    assert len(thinned) <= 2 * STEPS + 2
    assert np.diff(thinned / true[-1]).max() <= 1 / STEPS + 1e-9
