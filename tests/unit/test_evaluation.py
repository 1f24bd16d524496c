import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from textclf import evaluation


def rows(labels: list[int], positive: list[float]) -> pd.DataFrame:
    """Predictions of the classes no and yes (0 and 1 in `labels`), by the probability of yes."""
    return pd.DataFrame(
        {
            "id": [f"c:{number}" for number in range(len(labels))],
            "split": "test",
            "label": [("no", "yes")[label] for label in labels],
            "probability_no": [1 - probability for probability in positive],
            "probability_yes": positive,
        }
    )


# Decided yes, no, no, yes: one of each of true positive, false negative, true negative, false positive.
FOUR = rows([1, 1, 0, 0], [0.9, 0.4, 0.2, 0.6])


def test_arrays_are_positions_and_probabilities() -> None:
    y, probabilities = evaluation.arrays(FOUR)
    assert y.tolist() == [1, 1, 0, 0]
    assert probabilities[:, 1].tolist() == [0.9, 0.4, 0.2, 0.6]


def test_the_first_of_equally_probable_classes_is_decided() -> None:
    assert evaluation.decide(np.array([[0.5, 0.5], [0.4, 0.6], [0.6, 0.4]])).tolist() == [0, 1, 0]


def test_metrics_are_those_worked_out_by_hand() -> None:
    assert evaluation.metrics(FOUR) == {
        "accuracy": 0.5,
        "log_loss": round(-(math.log(0.9) + math.log(0.4) + math.log(0.8) + math.log(0.4)) / 4, 6),
        "roc_auc": 0.75,  # of the four pairs of a yes and a no, one is in the wrong order: 0.4 < 0.6
        "f1": 0.5,
        "precision": 0.5,
        "recall": 0.5,
    }


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=16)), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40)
def test_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    y, positive = ([pair[place] for pair in pairs] for place in (0, 1))
    decided = [probability > 0.5 for probability in positive]
    expected = {
        "accuracy": sk.accuracy_score(y, decided),
        "log_loss": sk.log_loss(y, positive, labels=[0, 1]),
        "f1": sk.f1_score(y, decided, zero_division=0),
        "precision": sk.precision_score(y, decided, zero_division=0),
        "recall": sk.recall_score(y, decided, zero_division=0),
    }
    if len(set(y)) == 2:
        expected["roc_auc"] = sk.roc_auc_score(y, positive)
    found = evaluation.metrics(rows([int(label) for label in y], positive))
    assert found == pytest.approx(expected, abs=1e-6)
    assert found == {name: round(value, 6) for name, value in found.items()}


def test_precision_is_0_where_nothing_is_predicted_positive() -> None:
    found = evaluation.metrics(rows([1, 0], [0.4, 0.3]))
    assert (found["precision"], found["recall"], found["f1"]) == (0, 0, 0)


@pytest.mark.parametrize("label", [0, 1])
def test_roc_auc_is_left_out_where_there_is_one_class(label: int) -> None:
    found = evaluation.metrics(rows([label, label], [0.4, 0.9]))
    assert "roc_auc" not in found
    assert found["accuracy"] == 0.5


def test_metrics_do_not_depend_on_the_order_of_the_rows() -> None:
    assert evaluation.metrics(FOUR) == evaluation.metrics(FOUR[::-1])


def test_confusion_counts_each_pair_of_classes() -> None:
    assert evaluation.confusion(rows([1, 1, 1, 0], [0.9, 0.9, 0.2, 0.1])).to_numpy(dtype=object).tolist() == [
        ["no", "no", 1, 1.0],
        ["no", "yes", 0, 0.0],
        ["yes", "no", 1, pytest.approx(1 / 3)],
        ["yes", "yes", 2, pytest.approx(2 / 3)],
    ]


def test_a_class_without_rows_has_no_share() -> None:
    assert evaluation.confusion(rows([1], [0.9]))["share"].tolist() == [0, 0, 0, 1]


def test_roc_goes_from_corner_to_corner_and_has_the_area_of_the_metric() -> None:
    curve = evaluation.roc(FOUR)
    assert curve.columns.tolist() == ["false_positive_rate", "true_positive_rate"]
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == [1, 1]
    assert all(curve[name].is_monotonic_increasing for name in curve)
    assert np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"]) == 0.75


def test_precision_recall_begins_at_no_recall() -> None:
    curve = evaluation.precision_recall(FOUR)
    assert curve.columns.tolist() == ["recall", "precision"]
    assert curve["recall"].is_monotonic_increasing
    assert curve.iloc[0].tolist() == [0, 1]
    assert curve.iloc[-1].tolist() == [1, 0.5]


def test_tables_of_models_stand_below_one_another() -> None:
    tables = {"b": pd.DataFrame({"x": [1, 2]}), "a": pd.DataFrame({"x": [3]})}
    stacked = evaluation.stacked(tables)
    assert stacked.columns.tolist() == ["model", "x"]
    assert stacked.to_numpy(dtype=object).tolist() == [["b", 1], ["b", 2], ["a", 3]]


def test_no_table_gives_the_columns_alone() -> None:
    stacked = evaluation.stacked({}, ("epoch", "loss"))
    assert stacked.columns.tolist() == ["model", "epoch", "loss"]
    assert stacked.empty
