"""Decisions by costs of an exported model, some of which are no answer: from Python and by `textclf predict`."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import textclf
from tests.unit.predict.models import export, two_classes
from textclf.artifacts.decisions import Decision
from textclf.predict.predictor import Predictor

TEXTS = ["great place", "bad", "food", "great bad"]  # probabilities of yes: 0.88, 0.03, 0.44, 0.18
Run = Callable[..., tuple[object, str, str]]


def costly(*columns: float) -> Predictor:
    """Return a model of the classes no and yes: a wrong yes costs 5, a wrong no 1, and no answer `columns`."""
    return replace(two_classes(), decision=Decision(costs=((0, 5, *columns), (1, 0, *columns))))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return the folder of a model that gives no answer where that costs less than 0.3."""
    return export(costly(0.3), tmp_path / "model")


def test_a_text_gets_the_class_that_costs_least_and_none_where_no_answer_costs_less(model: Path) -> None:
    assert costly().predict(TEXTS).tolist() == ["yes", "no", "no", "no"]
    predictor = textclf.load(model)
    assert predictor.decision == costly(0.3).decision
    # 0.88 is above 5/6, but five times 0.12 exceeds 0.3
    assert predictor.predict(TEXTS).tolist() == [None, "no", None, "no"]
    assert predictor.labels(predictor.predict_proba(TEXTS)) == predictor.predict(TEXTS).tolist()


def test_a_text_without_an_answer_is_explained_as_the_class_that_costs_least() -> None:
    assert costly(0.3).explain(TEXTS) == costly().explain(TEXTS)


def test_no_answer_is_null_in_json_lines_and_parquet_and_empty_in_csv(
    model: Path, command_line: Run, tmp_path: Path
) -> None:
    arguments = ("predict", "--model", str(model), *TEXTS)
    _, lines, _ = command_line(*arguments)
    assert [json.loads(line)["label"] for line in lines.splitlines()] == [None, "no", None, "no"]
    _, table, _ = command_line(*arguments, "--to", "csv")
    assert [row["label"] for row in csv.DictReader(io.StringIO(table))] == ["", "no", "", "no"]
    command_line(*arguments, "--output", str(tmp_path / "labels.parquet"))
    assert pq.read_table(tmp_path / "labels.parquet")["label"].to_pylist() == [None, "no", None, "no"]
