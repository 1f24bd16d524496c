"""The numbers that DVC compares."""

import json

from tests.verify import ROOT
from textclf.evaluate.measure import summarise

SPLIT = {"accuracy": 0.75, "brier": 0.2, "f1": 0.7, "log_loss": 0.5, "roc_auc": 0.8}
COLUMNS = {"majority": 7, "keras": 7}


def test_a_model_has_what_people_compare_and_no_more() -> None:
    measured = {"majority": {"test": SPLIT, "train": SPLIT, "validation": SPLIT}}
    compared = {"accuracy": 0.75, "f1": 0.7, "log_loss": 0.5, "roc_auc": 0.8}
    assert summarise(measured, {"majority": {"parameters": 1}}, 3, COLUMNS) == {
        "majority": {"rows": 3, "features": 7, "train": {"accuracy": 0.75}, "test": compared, "validation": compared}
    }


def test_a_model_trained_in_epochs_has_their_number_and_its_size() -> None:
    record = {"parameters": 5, "epochs": 9, "best_epoch": 2, "other": 1}
    summary = summarise({"keras": {"test": SPLIT}}, {"keras": record}, 3, COLUMNS)["keras"]
    assert {name: summary[name] for name in ("parameters", "epochs", "best_epoch")} == {
        "parameters": 5,
        "epochs": 9,
        "best_epoch": 2,
    }
    assert "other" not in summary


def test_a_metric_that_is_undefined_is_left_out() -> None:
    undefined = {name: value for name, value in SPLIT.items() if name != "roc_auc"}
    assert "roc_auc" not in summarise({"keras": {"test": undefined}}, {"keras": {}}, 3, COLUMNS)["keras"]["test"]  # type: ignore[operator]


def test_the_default_run_has_at_most_25_numbers() -> None:
    def count(content: object) -> int:
        return sum(map(count, content.values())) if isinstance(content, dict) else 1

    files = sorted((ROOT / "metrics" / "models").glob("*.json"))
    assert 0 < sum(count(json.loads(file.read_text(encoding="utf-8"))) for file in files) <= 25
