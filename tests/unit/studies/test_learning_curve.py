"""The learning curve, with models that train in no time."""

import pandas as pd
import pytest

from tests.refusal import refusal
from tests.unit.studies.samples import CLASSES, FAST, setup, split
from textclf.evaluate.intervals import wilson
from textclf.studies import measure
from textclf.studies.measure import Setup, learning_curve


def test_there_is_a_row_per_model_and_tenth_of_the_training_rows() -> None:
    splits = split(80)  # 60 of which are trained on
    curve = learning_curve(splits, CLASSES, setup(evaluate={"confidence": 0.5}))
    assert curve.columns.tolist() == ["model", "rows", "accuracy", "accuracy_low", "accuracy_high"]
    assert curve[["rows", "model"]].to_numpy(dtype=object).tolist() == [
        [6 * tenth, model] for tenth in range(1, 11) for model in FAST
    ]
    last = {name: measure.measure(splits, CLASSES, name, setup())["accuracy"] for name in FAST}
    assert dict(zip(FAST, curve["accuracy"][-2:], strict=True)) == last
    for point in curve.to_dict("records"):
        assert (point["accuracy_low"], point["accuracy_high"]) == wilson(round(point["accuracy"] * 20), 20, 0.5)


def test_each_step_takes_the_first_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, pd.DataFrame]] = []

    def fake(splits: dict[str, pd.DataFrame], _: object, __: str, ___: Setup) -> dict[str, float]:
        seen.append(splits)
        return {"accuracy": 0.5}

    monkeypatch.setattr(measure, "measure", fake)
    splits = split(80, validation_size=0.2)
    learning_curve(splits, CLASSES, setup(("majority",)))
    # The first tenth, 4 rows, is of one class.
    assert [len(part["train"]) for part in seen] == [len(splits["train"]) * tenth // 10 for tenth in range(2, 11)]
    for part in seen:
        assert part["train"].equals(splits["train"][: len(part["train"])])
        assert part["test"] is splits["test"]
        assert part["validation"] is splits["validation"]


def test_a_step_without_a_class_is_left_out() -> None:
    splits = split()
    sorted_rows = splits["train"].sort_values("label", kind="stable")  # 15 of each class
    curve = learning_curve({**splits, "train": sorted_rows}, CLASSES, setup(("majority",)))
    assert curve["rows"].tolist() == [18, 21, 24, 27, 30]


def test_too_few_training_rows_for_every_step_are_an_error() -> None:
    splits = split()
    one = splits["train"][splits["train"]["label"] == "1"][:1]
    rare = pd.concat([splits["train"][splits["train"]["label"] == "0"], one])
    said = refusal(learning_curve, {**splits, "train": rare}, CLASSES, setup(("majority", "linear_svm")))
    assert said == "each class must have at least 2 training rows; 1 has 1"
