"""Metrics against scikit-learn, against values by hand, and for properties of any rows."""

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
from tests.unit.evaluate.samples import SEEDS, known, measured, sample, sample_sets
from textclf.evaluate.registry import compute, format_value, metrics_of
from textclf.evaluate.rows import JudgedRows


def by_scikit_learn(
    y: NDArray[Any], probabilities: NDArray[np.float64], decided: NDArray[Any]
) -> dict[str, Any]:
    """Return the metrics; those of the order of labels are means over labels with rows."""
    classes, several = probabilities.shape[1], y.ndim == 2
    columns = [
        ((y[:, c] == 1) if several else (y == c), probabilities[:, c]) for c in range(classes)
    ]
    labels = {} if several else {"labels": np.arange(classes)}
    average: dict[str, Any] = (
        {"average": "binary"} if classes == 2 and not several else {"average": "macro"} | labels
    )
    values: dict[str, Any] = {
        "accuracy": sk.accuracy_score(y, decided),
        "ece": calibration_error(y, probabilities),
    }
    for name, score in (
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("f1", sk.f1_score),
    ):
        values[f"class_{name}"] = score(y, decided, average=None, zero_division=0, **labels)
        # Of one class each, a mean is over the classes that are actual or decided.
        present = (
            {} if several or classes == 2 else {"labels": np.union1d(y, decided[decided >= 0])}
        )
        values[name] = score(y, decided, zero_division=0, **average | present)
        if several:
            values[f"micro_{name}"] = score(y, decided, average="micro", zero_division=0)
    ranks = [
        ("roc_auc", sk.roc_auc_score),
        *[("average_precision", sk.average_precision_score)] * several,
    ]
    for name, score in ranks:
        scores = np.array(
            [score(*column) if 0 < column[0].mean() < 1 else np.nan for column in columns]
        )
        values[f"class_{name}"] = scores
        values[name] = np.nanmean(scores) if several else scores.mean()
    if several:
        values["log_loss"] = np.mean([sk.log_loss(*column, labels=[0, 1]) for column in columns])
        values["brier"] = np.mean(
            [sk.brier_score_loss(*column, labels=[0, 1]) for column in columns]
        )
        values["hamming_loss"] = sk.hamming_loss(y, decided)
        return values | {"ranking": sk.label_ranking_average_precision_score(y, probabilities)}
    values["balanced_accuracy"] = sk.balanced_accuracy_score(y, decided)
    values["mcc"] = sk.matthews_corrcoef(y, decided)
    values["log_loss"] = sk.log_loss(y, probabilities, **labels)
    return values | {"brier": sk.brier_score_loss(y, probabilities, **labels)}


def calibration_error(y: NDArray[Any], probabilities: NDArray[np.float64]) -> float:
    """Return the expected calibration error by its definition, with pandas."""
    several = y.ndim == 2
    confidence = probabilities.ravel() if several else probabilities.max(axis=1)
    gaps = pd.Series((y.ravel() if several else probabilities.argmax(axis=1) == y) - confidence)
    bins: Any = pd.cut(confidence, [edge / 10 for edge in range(11)], include_lowest=True)
    return float(gaps.groupby(bins, observed=True).sum().abs().sum() / len(gaps))


def compare_with_scikit_learn(
    y: NDArray[Any], probabilities: NDArray[np.float64], decided: NDArray[Any]
) -> Any:
    values = measured(y, probabilities, decided)
    with (
        warnings.catch_warnings()
    ):  # of scikit-learn: y_pred contains classes not in y_true; no positive samples
        warnings.simplefilter("ignore")
        expected = by_scikit_learn(y, probabilities, decided)
    assert {*values} == {name for name, value in expected.items() if not np.isnan(value).all()}
    for name, value in values.items():
        assert value == pytest.approx(expected[name], abs=1e-12, nan_ok=True), name
    return values


@pytest.mark.parametrize("multilabel", [False, True])
def test_every_metric_of_the_registry_is_measured_with_its_interval_and_those_of_its_classes(
    multilabel: bool,
) -> None:
    drawn = sample_sets(1, 400) if multilabel else sample(1, 400, classes=3)
    metrics, rows = metrics_of(True) if multilabel else MEASURED, JudgedRows(*drawn)
    assert list(compute(*drawn)) == list(metrics)
    for metric in metrics.values():
        value, ends = metric.value(rows), metric.confidence_interval(rows, 0.95)
        assert (ends is None) != metric.interval, metric.name
        assert ends is None or ends.low < value < ends.high, metric.name
        if metric.per_class:
            of_classes = metric.of_classes(rows)
            assert value == pytest.approx(of_classes.mean())
            for place, each in enumerate(of_classes):
                ends = known(metric.confidence_interval(rows, 0.95, place))
                assert ends.low <= each <= ends.high


def test_a_value_is_shown_as_a_percentage_or_with_three_digits() -> None:
    assert [format_value(name, 0.79649) for name in ("accuracy", "log_loss")] == ["79.6%", "0.796"]


@given(SEEDS, st.integers(2, 6), st.booleans())
def test_metrics_equal_scikit_learn(seed: int, classes: int, never: bool) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    if never:  # the last class is never decided
        decided = probabilities[:, :-1].argmax(axis=1)
    compare_with_scikit_learn(y, probabilities, decided)
    compare_with_scikit_learn(*sample_sets(seed, labels=classes))


@given(SEEDS, st.integers(3, 6), st.data())
def test_metrics_of_rows_without_a_class_equal_scikit_learn(
    seed: int, classes: int, data: st.DataObject
) -> None:
    y, probabilities, decided = sample(seed, classes=classes)
    missing = data.draw(st.integers(0, classes - 1))
    rest = y != missing
    y, probabilities, decided = y[rest], probabilities[rest], decided[rest]
    if data.draw(st.booleans()):  # the class is not decided either
        decided = np.where(decided == missing, y, decided)
    values = compare_with_scikit_learn(y, probabilities, decided)
    assert np.isnan(values["class_roc_auc"]).nonzero()[0].tolist() == [missing]


def test_a_label_without_rows_is_left_out_of_the_means_of_the_order_alone() -> None:
    y, probabilities, decided = sample_sets(1)
    y[:, 2] = 0
    values = compare_with_scikit_learn(y, probabilities, decided)
    assert np.isnan(values["class_average_precision"]).nonzero()[0].tolist() == [2]
    nothing = compute(np.zeros_like(y), probabilities, np.zeros_like(y))
    assert {"roc_auc", "average_precision"}.isdisjoint(nothing)
    assert (nothing["accuracy"], nothing["micro_f1"], nothing["ranking"]) == (1, 0, 1)


@pytest.mark.parametrize("label", [0, 1])
def test_metrics_that_compare_classes_are_left_out_if_there_is_one_class(label: int) -> None:
    y, probabilities, decided = sample(1)
    values = compute(np.full_like(y, label), probabilities, decided)
    assert {"balanced_accuracy", "mcc", "roc_auc"}.isdisjoint(values)
    assert values["accuracy"] == round(float((decided == label).mean()), 6)


def test_probabilities_of_0_cost_what_scikit_learn_says() -> None:
    y, probabilities = np.array([0, 1, 1]), np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    loss = measured(y, probabilities, probabilities.argmax(axis=1))["log_loss"]
    assert loss == pytest.approx(sk.log_loss(y, probabilities), abs=1e-12)


def test_a_row_has_a_label_and_is_decided_as_it_in_both_tasks() -> None:
    y, decided, of_class = np.array([0, 2, 1, 2]), np.array([0, 1, 1, 2]), np.eye(3, dtype=np.int8)
    one = JudgedRows(y, np.full((4, 3), 1 / 3), decided)
    several = JudgedRows(of_class[y], one.probabilities, of_class[decided])
    for place in range(3):
        assert (
            one.is_actual(place).tolist()
            == several.is_actual(place).tolist()
            == (y == place).tolist()
        )
        assert one.is_decided(place).tolist() == several.is_decided(place).tolist()
    assert one.wrong.tolist() == several.wrong.tolist() == [False, True, False, False]
