import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.refusal import refusal
from textclf.artifacts.decisions import (
    Decision,
    LabelScaling,
    Platt,
    Temperature,
    read_decision,
    write_decision,
)

PROBABILITIES = np.array([[0.1, 0.9], [0.6, 0.4], [0.5, 0.5], [0.0, 1.0]])
DECISIONS = [
    Decision(0.25),
    Decision(),
    Decision(0.5, Temperature(1.25)),
    Decision(None, Temperature(0.01)),
    Decision(0.0, Platt(1.5, -0.25)),
    Decision(None, Temperature(2.0), costs=((0.0, 1.0), (5.0, 0.0))),
    Decision(None, Temperature(2.0), costs=((0.0, 1.0, 0.2), (5.0, 0.0, 0.2))),
    Decision(
        None,
        Temperature(1.25),
        costs=((0.0, 1.0, 1.0, 0.5), (1.0, -2.0, 1.0, 0.5), (1.0, 10.0, 0.0, 0.5)),
    ),
]


@pytest.mark.parametrize(
    ("threshold", "positive"), [(0.1, [1, 1, 1, 1]), (0.4, [1, 0, 1, 1]), (0.5, [1, 0, 0, 1])]
)
def test_a_row_is_positive_above_the_threshold(threshold: float, positive: list[int]) -> None:
    assert Decision(threshold).decide(PROBABILITIES).tolist() == positive


def test_without_a_threshold_the_first_of_the_most_probable_classes_is_decided() -> None:
    probabilities = np.array(
        [[0.4, 0.3, 0.3], [0.2, 0.4, 0.4], [0.3, 0.3, 0.4], [1 / 3, 1 / 3, 1 / 3]]
    )
    decided = Decision().decide(probabilities)
    assert decided.dtype == np.int64
    assert decided.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_calibrated_probabilities_are_probabilities(decision: Decision) -> None:
    calibrated = decision.calibrate(PROBABILITIES)
    assert np.isfinite(calibrated).all()
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-12)
    assert decision.calibrate(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_the_decision_of_an_exported_model_is_read_back(decision: Decision, tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    write_decision(decision, path)
    assert set(json.loads(path.read_text())) == {"format", "scaling", "threshold"}
    classes = len(decision.costs or ()) or (2 if decision.threshold is not None else 3)
    assert read_decision(path, classes) == decision
    assert "decision.json is damaged" in refusal(read_decision, path, 5 - classes)


@pytest.mark.parametrize(
    "scaling", [None, LabelScaling((0.5, 1.0, 2.0), (0.1, 0.0, -0.1))], ids=str
)
def test_the_decision_of_several_labels_is_read_back_if_each_label_has_its_numbers(
    scaling: LabelScaling | None, tmp_path: Path
) -> None:
    path, decision = tmp_path / "decision.json", Decision(None, scaling, (0.5, 0.5, 0.4))
    write_decision(decision, path)
    assert read_decision(path, 3) == decision
    calibrated = decision.calibrate(np.array([[0.0, 0.3, 1.0], [0.2, 1.0, 0.0]]))
    assert calibrated[0, 1] == pytest.approx(0.3)
    assert ((calibrated >= 0) & (calibrated <= 1)).all()
    others = (
        Temperature(2.0),
        Platt(1.0, 0.0),
        LabelScaling((1.0, 1.0), (0.0, 0.0)),
        LabelScaling((1.0,) * 3, (0.0,)),
    )
    wrong = [
        replace(decision, thresholds=(0.5, 0.5)),
        *(replace(decision, calibration=each) for each in others),
    ]
    for each in [*wrong, Decision(None, scaling or others[2])]:
        write_decision(each, path)
        assert "decision.json is damaged" in refusal(read_decision, path, 3)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"scaling": {}},
        *(
            {"scaling": {}, "threshold": value}
            for value in (None, "high", True, -3, 1.5, math.nan, 10**400)
        ),
        *(
            {"scaling": {"temperature": value}, "threshold": 0.5}
            for value in ("warm", 0, 1e-320, 10**400)
        ),
        {"scaling": {"slope": 1.0}, "threshold": 0.5},
        {"scaling": {"slope": math.inf, "intercept": 0}, "threshold": 0.5},
        {"scaling": 3, "threshold": 0.5},
        *(
            {"scaling": {"costs": costs}, "threshold": None}
            for costs in ([[0, 1]], [[0, 1], [1]], [[0], [1]], 3)
        ),
        {"scaling": {"costs": [[0, 1], [1, 0]]}, "threshold": 0.5},
    ],
    ids=lambda content: str(content)[:50],
)
def test_a_damaged_decision_is_an_error(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(content))
    assert "decision.json is damaged" in refusal(read_decision, path, 2)


def test_a_decision_of_a_newer_export_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text('{"format": 1, "scaling": {"isotonic": 1.0}, "threshold": 0.5}')
    assert "was made by a newer textclf (this version does not know isotonic)" in refusal(
        read_decision, path, 2
    )
    path.write_text('{"format": 2, "rule": "?"}')
    assert "was made by a newer textclf (format 2; this version reads 1)" in refusal(
        read_decision, path, 2
    )
