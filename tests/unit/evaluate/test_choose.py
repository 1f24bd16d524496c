"""Decisions: what is chosen on validation rows, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier

from tests.unit.evaluate.samples import (
    drawn,
    known,
    overconfident,
    params,
    predictions,
    sample_sets,
    sets,
    three_splits,
)
from tests.unit.evaluate.samples import run_measured as measure
from textclf.artifacts.decisions import Decision, LabelScaling, Temperature
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.artifacts.temperature import fit_temperature
from textclf.core.errors import UserError
from textclf.evaluate import choose
from textclf.evaluate.calibrate import choose_threshold, fit_platt, reach_precision
from textclf.evaluate.choose import (
    NEVER,
    choose_baseline,
    choose_decision,
    fit_calibration,
    some_rows,
)
from textclf.evaluate.registry import compute
from textclf.evaluate.settings import EVEN


def of_split(rows: Predictions, split: str) -> Predictions:
    return rows.take(rows.split == split)


def test_a_number_is_the_threshold_of_two_classes_and_chooses_nothing() -> None:
    assert choose_decision(overconfident(1), params(threshold=0.4)) == Decision(0.4)
    assert choose_decision(drawn(1), params()) == Decision(None)


@pytest.mark.parametrize("rule", ["accuracy", "f1", "precision"])
def test_a_threshold_is_chosen_on_the_validation_rows(rule: str) -> None:
    rows = three_splits()
    validation = of_split(rows, "validation")
    decision = choose_decision(
        validation, params(threshold=rule, target_precision=0.4, confidence=0.9)
    )
    y, positive = validation.y, validation.probabilities[:, 1]
    threshold = (
        reach_precision(y, positive, 0.4, 0.9)
        if rule == "precision"
        else choose_threshold(y, positive, rule)
    )
    assert decision == Decision(threshold)


@pytest.mark.parametrize("name", ["temperature", "platt"])
def test_probabilities_are_calibrated_on_the_validation_rows_before_a_threshold_is_chosen(
    name: str,
) -> None:
    validation = overconfident(0, 400, "validation")
    decision = choose_decision(validation, params(calibration=name, threshold="f1"))
    fitted = (fit_platt if name == "platt" else fit_temperature)(
        validation.y, validation.probabilities
    )
    assert decision.calibration == fitted
    calibrated = decision.calibrate(validation.probabilities)
    assert decision.threshold == choose_threshold(validation.y, calibrated[:, 1], "f1")
    # The predictions are overconfident, which calibration corrects.
    before, after = (
        compute(validation.y, probabilities, Decision(0.5).decide(probabilities))["log_loss"]
        for probabilities in (validation.probabilities, calibrated)
    )
    assert after < before


def test_a_temperature_changes_no_decision_of_many_classes() -> None:
    rows = drawn(1)
    decision = choose_decision(rows, params(calibration="temperature"))
    assert isinstance(decision.calibration, Temperature)
    assert decision.threshold is None
    calibrated = decision.calibrate(rows.probabilities)
    assert np.array_equal(decision.decide(calibrated), Decision().decide(rows.probabilities))
    assert not np.array_equal(calibrated, rows.probabilities)


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [("threshold", value, "0.5") for value in (0.4, "f1", "precision")]
    + [("calibration", "platt", "none or temperature")],
)
def test_what_is_for_two_classes_is_refused_for_more(
    setting: str, value: float | str, rule: str
) -> None:
    with pytest.raises(UserError) as error:
        choose_decision(drawn(2, split="validation"), params(**{setting: value}))
    assert error.value.lines == (f"evaluate.{setting} must be {rule} for 3 classes; got {value}",)


@pytest.mark.parametrize("changes", [{"threshold": "accuracy"}, {"calibration": "platt"}], ids=str)
def test_training_and_test_rows_choose_nothing(changes: dict[str, object]) -> None:
    rows = three_splits()
    other = concatenate(
        [of_split(rows, "validation"), overconfident(8, split="train"), overconfident(9)]
    )
    first, second = (measure({"a": [each]}, params(**changes), False)[1] for each in (rows, other))
    assert first == second


@pytest.mark.parametrize("changes", [{"threshold": "f1"}, {"calibration": "temperature"}], ids=str)
def test_nothing_is_chosen_without_validation_rows(changes: dict[str, object]) -> None:
    with pytest.raises(UserError) as error:
        choose_decision(overconfident(0, rows=0), params(**changes))
    assert error.value.lines == (
        "the predictions must have validation rows to choose by; got none; run dvc repro",
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": rule, "calibration": calibration, "target_precision": 0.9}
        for rule in ("accuracy", "f1", "precision", 0.01)
        for calibration in ("none", "platt", "temperature")
    ],
    ids=str,
)
def test_a_baseline_answers_as_the_dummy_classifier_whatever_the_settings(
    settings: dict[str, Any],
) -> None:
    for positive in (0.05, 0.5, 0.95):
        y = (np.arange(200) < 200 * positive).astype(np.int64)
        shares = np.array([[1 - positive, positive]])
        decision = choose_baseline(y, ("no", "yes"), params(**settings))
        assert decision.judge(shares, {})[1].tolist() == dummy(y).tolist()
        assert decision.calibration is None


def test_a_baseline_of_several_classes_or_with_costs_gives_the_best_training_answer() -> None:
    y = np.repeat([0, 1, 2], [20, 50, 30])
    shares, classes = np.array([[0.2, 0.5, 0.3]]), ("a", "b", "c")
    assert choose_baseline(y, classes, params()).decide(shares).tolist() == dummy(y).tolist() == [1]
    for costs, cheapest in (({"c": {"b": 10}}, 2), ({"c": {"b": 10}, "abstain": 0.1}, -1)):
        assert choose_baseline(y, classes, params(costs=costs)).decide(shares).tolist() == [
            cheapest
        ]


@pytest.mark.parametrize("rule", ["f1", "micro_f1", "precision", 0.01])
@pytest.mark.parametrize("labels", [3, 70])
def test_a_baseline_of_several_labels_answers_the_set_that_most_rows_have_exactly(
    rule: Any, labels: int
) -> None:
    # Each label has most of the rows, and yet their most frequent set is another one.
    y = np.zeros((100, labels), np.int8)
    y[:40, :2], y[40:70, 0], y[70:, 1:3] = 1, 1, 1
    decision = choose_baseline(y, tuple(map(str, range(labels))), params(threshold=rule))
    assert decision.decide(y.mean(axis=0)[np.newaxis]).tolist() == y[:1].tolist()
    y[:, :3] = y[::-1, :3] * (np.arange(100) < 41)[:, np.newaxis]  # most rows have no label
    decision = choose_baseline(y, tuple(map(str, range(labels))), params(threshold=rule))
    assert not decision.decide(y.mean(axis=0)[np.newaxis]).any()


def dummy(y: NDArray[np.int64]) -> NDArray[Any]:
    """Return what scikit-learn answers for one text."""
    model = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(y), 1)), y)
    return np.asarray(model.predict(np.zeros((1, 1))))


def test_every_second_validation_row_chooses_if_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = drawn(2, 250, 2, "validation")
    for limit, step in ((500, 1), (499, 2), (249, 4), (124, 8)):
        monkeypatch.setattr(choose, "CELLS", limit)
        y, probabilities, keys = some_rows(
            rows.y, rows.probabilities, np.arange(250, dtype=np.int64)
        )
        assert keys is not None
        assert np.array_equal(keys, np.arange(0, 250, step))
        assert np.array_equal(y, rows.y[::step])
        assert np.array_equal(probabilities, rows.probabilities[::step])


# Several labels per text


def labelled(seed: int, rows: int = 300, split: str = "validation") -> Predictions:
    return sets(*sample_sets(seed, rows)[:2], split)


def test_a_number_is_the_threshold_of_every_label() -> None:
    assert choose_decision(labelled(1), params(threshold=0.3)) == Decision(thresholds=(0.3,) * 5)
    assert choose_decision(labelled(1).take(slice(0)), params()) == Decision(thresholds=(EVEN,) * 5)


@pytest.mark.parametrize("clusters", [None, np.arange(300) // 3], ids=["independent", "clusters"])
@pytest.mark.parametrize("rule", ["f1", "precision"])
def test_each_label_has_the_threshold_that_it_would_have_as_two_classes(
    rule: str, clusters: Any
) -> None:
    rows, settings = labelled(1), params(threshold=rule, target_precision=0.6)
    of_labels = [
        choose_decision(
            predictions(rows.y[:, place], rows.probabilities[:, place]), settings, clusters
        ).threshold
        for place in range(5)
    ]
    assert choose_decision(rows, settings, clusters) == Decision(
        thresholds=tuple(each or 0.0 for each in of_labels)
    )
    assert len(set(of_labels)) > 1


@pytest.mark.parametrize("name", ["temperature", "platt"])
def test_each_label_is_calibrated_as_two_classes_and_one_threshold_has_the_highest_micro_f1(
    name: str,
) -> None:
    rows = labelled(1)
    rows.probabilities[:, :3] **= 3
    decision = choose_decision(rows, params(calibration=name, threshold="micro_f1"))
    assert isinstance(decision.calibration, LabelScaling)
    calibrated, kept = decision.calibrate(rows.probabilities), 0
    for place in range(5):
        two = choose_decision(
            predictions(rows.y[:, place], rows.probabilities[:, place]), params(calibration=name)
        )
        alone = two.calibrate(
            np.column_stack([1 - rows.probabilities[:, place], rows.probabilities[:, place]])
        )
        np.testing.assert_allclose(calibrated[:, place], alone[:, 1], atol=1e-5)
        kept += two.calibration is not None
    assert 0 < kept < 5
    thresholds = known(decision.thresholds)
    f1 = {
        value: compute(rows.y, calibrated, (calibrated > value).astype(np.int8))["micro_f1"]
        for value in (thresholds[0], *np.linspace(0.05, 0.95, 19))
    }
    assert len(set(thresholds)) == 1
    assert f1[thresholds[0]] == max(f1.values())


@pytest.mark.parametrize(("name", "most"), [("temperature", 0.1), ("platt", 0.25)])
def test_a_calibration_that_lowers_the_log_loss_by_no_more_than_its_error_is_not_kept(
    name: str, most: float
) -> None:
    kept = []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        positive = generator.uniform(size=200)
        y = (generator.uniform(size=200) < positive).astype(np.int64)
        own = replace(predictions(y, positive), split=np.full(200, "validation", dtype=object))
        kept.append(choose_decision(own, params(calibration=name)).calibration is not None)
    assert np.mean(kept) < most
    sharp = replace(
        own, probabilities=own.probabilities**3 / (own.probabilities**3).sum(axis=1, keepdims=True)
    )
    assert choose_decision(sharp, params(calibration=name)).calibration is not None


def test_rows_of_some_classes_calibrate_only_what_is_said_of_these() -> None:
    of_one = replace(
        predictions(np.ones(40, np.int64), np.linspace(0.6, 0.9, 40)),
        split=np.full(40, "fold 1", object),
    )
    assert choose_decision(of_one, params(calibration="temperature")).calibration is None
    y, rare = np.array([0, 1] * 20), np.array([[0.2, 0.3, 0.5], [0.3, 0.2, 0.5]] * 20)
    fit = fit_calibration(y, rare, None, "temperature")
    assert fit is not None
    assert fit == fit_calibration(y, rare[:, :2] / 0.5, None, "temperature")


def test_a_rare_label_keeps_its_threshold_and_one_without_the_precision_is_never_decided() -> None:
    rows = labelled(1)
    rows.y[:, 0] = np.arange(300) < 4
    rows.y[:, 1] = np.arange(300) < 5
    rows.y[:, 2] = np.random.default_rng(1).permutation(300) < 30  # whatever the probability
    f1 = known(choose_decision(rows, params(threshold="f1")).thresholds)
    precise = known(
        choose_decision(rows, params(threshold="precision", target_precision=0.8)).thresholds
    )
    assert f1[0] == precise[0] == EVEN != f1[1]
    assert precise[2] == NEVER
    assert not Decision(thresholds=precise).decide(np.ones((1, 5)))[0, 2]
    scaling = choose_decision(rows, params(calibration="platt")).calibration
    assert isinstance(scaling, LabelScaling)
    assert (
        (scaling.slopes[0], scaling.intercepts[0])
        == (1, 0)
        != (scaling.slopes[2], scaling.intercepts[2])
    )
    one_cluster = np.where(np.arange(300) < 5, 0, np.arange(300))
    decision = choose_decision(rows, params(threshold="f1"), one_cluster)
    assert decision.thresholds[1] == EVEN  # type: ignore[index]
