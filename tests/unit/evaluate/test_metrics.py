"""Metrics against scikit-learn, against values worked out by hand, and for what must hold of any rows."""

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from tests.metrics import MEASURED
from tests.unit.evaluate.samples import FOUR, SEEDS, exact, sample, sample_sets
from textclf.evaluate import metrics
from textclf.evaluate.metrics import compute, point_values
from textclf.evaluate.registry import METRICS, compare_pair, format_value, metrics_of


def by_scikit_learn(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], decided: NDArray[np.int64]
) -> dict[str, Any]:
    classes = probabilities.shape[1]
    labels = np.arange(classes)
    average: dict[str, Any] = {"average": "binary", "pos_label": 1} if classes == 2 else {"average": "macro"}
    scores = probabilities[:, 1] if classes == 2 else probabilities
    precision, recall, f1, _ = sk.precision_recall_fscore_support(y, decided, zero_division=0, **average)
    of_classes = sk.precision_recall_fscore_support(y, decided, labels=labels, zero_division=0, average=None)[:3]
    return {
        **dict(zip(("class_precision", "class_recall", "class_f1"), of_classes, strict=True)),
        "class_roc_auc": [sk.roc_auc_score(y == c, probabilities[:, c]) for c in labels],
        "accuracy": sk.accuracy_score(y, decided),
        "balanced_accuracy": sk.balanced_accuracy_score(y, decided),
        "brier": sk.brier_score_loss(y, probabilities, labels=labels),
        "ece": calibration_error(y, probabilities),
        "f1": f1,
        "log_loss": sk.log_loss(y, probabilities, labels=labels),
        "mcc": sk.matthews_corrcoef(y, decided),
        "precision": precision,
        "recall": recall,
        "roc_auc": sk.roc_auc_score(y, scores, multi_class="ovr", labels=labels),
    }


def calibration_error(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Return the expected calibration error by its definition, with pandas."""
    confidence = probabilities.max(axis=1)
    gaps = pd.Series((probabilities.argmax(axis=1) == y) - confidence)
    bins = gaps.groupby(pd.cut(confidence, [edge / 10 for edge in range(11)]), observed=True)
    return float(bins.sum().abs().sum() / len(y))


def test_metrics_are_those_worked_out_by_hand() -> None:
    expected = {
        "accuracy": 0.5,
        "log_loss": round(-(math.log(0.9) + math.log(0.4) + math.log(0.8) + math.log(0.4)) / 4, 6),
        "roc_auc": 0.75,  # of the four pairs of a yes and a no, one is in the wrong order: 0.4 < 0.6
        "f1": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "brier": 0.1925,  # the mean of 0.01, 0.36, 0.04 and 0.36
        "ece": 0.375,  # rows of confidence 0.9 and 0.8 are right, both of 0.6 wrong: (0.1 + 0.2 + 1.2) / 4
        "balanced_accuracy": 0.5,  # of each class one of two is right
        "mcc": 0,
    }
    values = exact({"a": FOUR}).metrics("a")
    assert {name: values[name] for name in expected} == expected


def test_every_metric_of_the_registry_has_a_function() -> None:
    others = ["cost", "ece", "roc_auc", "average_precision"]
    assert sorted(METRICS) == sorted([*metrics.FROM_COUNTS, *metrics.ROW_MEANS, *others])
    for multilabel, drawn in ((False, sample(1, classes=3)), (True, sample_sets(1))):
        measured = metrics_of(True) if multilabel else MEASURED
        by_class = {f"class_{name}" for name, metric in measured.items() if metric.per_class}
        assert {*point_values(*drawn)} == {*measured} | by_class
        assert list(compute(*drawn)) == list(measured)


def test_a_value_is_shown_as_a_percentage_or_with_three_digits() -> None:
    assert [format_value(name, 0.79649) for name in ("accuracy", "log_loss")] == ["79.6%", "0.796"]


def test_a_difference_is_that_of_the_model_named_first_from_the_other() -> None:
    ends, reverse = {"difference": 0.1, "low": -0.2, "high": 0.3}, {"difference": -0.1, "low": -0.3, "high": 0.2}
    stored = {"b_vs_a": {**ends, "p": 0.5, "metrics": {"f1": ends, "brier": None}}}
    assert compare_pair(stored, ["a", "b"], "b", "a") == stored["b_vs_a"]
    assert compare_pair(stored, ["a", "b"], "a", "b") == {
        **reverse,
        "p": 0.5,
        "metrics": {"f1": reverse, "brier": None},
    }
    assert compare_pair({"b_vs_a": ends}, ["a", "b"], "a", "b") == {**reverse, "metrics": {}}  # of an older version


@given(SEEDS, st.integers(2, 6), st.booleans())
def test_metrics_equal_scikit_learn(seed: int, classes: int, never: bool) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    if never:  # the last class is never decided
        decided = probabilities[:, :-1].argmax(axis=1)
    values, expected = point_values(y, probabilities, decided), by_scikit_learn(y, probabilities, decided)
    assert {*values} == {*expected}
    for name, value in expected.items():
        assert values[name][0] == pytest.approx(value, abs=1e-12), name


@given(SEEDS, st.integers(3, 6), st.data())
def test_metrics_of_rows_without_a_class_equal_scikit_learn(seed: int, classes: int, data: st.DataObject) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    missing = data.draw(st.integers(0, classes - 1))
    rest = y != missing
    y, probabilities, decided = y[rest], probabilities[rest], decided[rest]
    if data.draw(st.booleans()):  # the class is not decided either
        decided = np.where(decided == missing, y, decided)
    values = point_values(y, probabilities, decided)
    with warnings.catch_warnings():  # of scikit-learn: y_pred contains classes not in y_true; no positive samples
        warnings.simplefilter("ignore")
        expected = by_scikit_learn(y, probabilities, decided)
    assert np.isnan(expected.pop("roc_auc"))
    assert {*values} == {*expected}
    for name, value in expected.items():
        assert values[name][0] == pytest.approx(value, abs=1e-12, nan_ok=True), name
    assert np.isnan(values["class_roc_auc"][0]).nonzero()[0].tolist() == [missing]


@pytest.mark.parametrize("label", [0, 1])
def test_metrics_that_compare_classes_are_left_out_if_there_is_one_class(label: int) -> None:
    y, probabilities, decided = sample(1)
    values = compute(np.full_like(y, label), probabilities, decided)
    assert {"balanced_accuracy", "mcc", "roc_auc"}.isdisjoint(values)
    assert values["accuracy"] == round(float((decided == label).mean()), 6)


def test_probabilities_of_0_cost_what_scikit_learn_says() -> None:
    y, probabilities = np.array([0, 1, 1]), np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    values = point_values(y, probabilities, probabilities.argmax(axis=1))
    assert values["log_loss"][0] == pytest.approx(sk.log_loss(y, probabilities), abs=1e-12)
