"""Predictions of several labels per text: Python, files and the command."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import expit, logit

import textclf
from tests.unit.predict.models import doubting, export, several_labels
from textclf import cli
from textclf.artifacts.layers import SIGMOIDS, Layer, LayerModel
from textclf.predict.predictor import Predictor

TEXTS = ["bad food", "great food, great", "nothing that is known"]
LABELS = [["bad", "food"], ["food", "good, great"], []]


def printed(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    with pytest.raises(SystemExit) as end:
        cli.main(["predict", "--model", str(folder), *options, *TEXTS])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_a_text_has_the_labels_above_their_thresholds_and_perhaps_none(tmp_path: Path) -> None:
    predictor = textclf.load(export(several_labels(), tmp_path / "labels"))
    scores = [[1.5, 1.0, -4.0], [-2.5, 1.0, 5.0], [-1.0, 0.0, -1.0]]
    assert predictor.predict_proba(TEXTS) == pytest.approx(expit(np.array(scores)))
    assert predictor.predict(TEXTS).tolist() == LABELS
    assert predictor.predict([]).tolist() == []


def test_each_label_is_explained_by_the_drops_of_its_own_log_odds() -> None:
    explained = several_labels().explain([*TEXTS, "bad food place"])
    assert explained[0] == {"bad": [("bad", 2.0), ("food", 0.5)], "food": [("food", 1.0)]}
    assert explained[1] == {"food": [("food", 1.0)], "good, great": [("great", 6.0)]}
    assert explained[2] == {}
    assert several_labels().explain(["bad food place"], 1) == [{"bad": [("bad", 2.0)], "food": [("food", 1.0)]}]


class Characters:
    """Dense features without terms: how many letters a and b a text has."""

    def transform(self, texts: list[str]) -> np.ndarray:
        return np.array([[text.count("a"), text.count("b")] for text in texts], np.float32)


def test_words_explain_each_label_if_features_have_no_terms() -> None:
    layer = Layer(np.array([[1.0, 0.0, -3.0], [0.0, 2.0, 0.0]]), np.array([-0.5, -0.5, 40.0]), SIGMOIDS)
    model = LayerModel(("a", "b", "sure"), (layer,))
    predictor = Predictor(Characters(), model, several_labels().decision)
    (explained,) = predictor.explain(["aa bb c"])
    assert list(explained) == ["a", "b", "sure"]
    assert explained["a"] == [("aa", pytest.approx(2.0))]
    assert explained["b"] == [("bb", pytest.approx(4.0))]
    probabilities = predictor.predict_proba(["aa bb c"])
    assert logit(probabilities[0, 0]) == pytest.approx(1.5)


def test_labels_are_json_lists_in_lines_and_csv_and_lists_in_parquet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = export(doubting(several_labels()), tmp_path / "labels")
    options = ("--explain", "--coverage", "0.5")
    explanations = several_labels().explain(TEXTS)
    rows = [json.loads(line) for line in printed(folder, capsys, *options).splitlines()]
    table = list(csv.DictReader(io.StringIO(printed(folder, capsys, *options, "--to", "csv", "--no-formulas"))))
    assert [row["label"] for row in rows] == LABELS
    shares = [dict(best) for best in several_labels().predict(TEXTS, top=3)]
    confidences = [[round(share[label], 6) for label in labels] for share, labels in zip(shares, LABELS, strict=True)]
    assert [row["confidence"] for row in rows] == confidences
    assert [json.loads(row["confidence"]) for row in table] == confidences
    assert [json.loads(row["label"]) for row in table] == LABELS
    assert table[1]["label"] == '["food", "good, great"]'
    for row, cells, explained in zip(rows, table, explanations, strict=True):
        wanted = {label: [{"term": term, "weight": weight} for term, weight in explained[label]] for label in explained}
        assert row["explanation"] == wanted
        assert json.loads(cells["explanation"]) == wanted
        assert isinstance(row["set"], list)
    path = tmp_path / "made.parquet"
    printed(folder, capsys, *options, "--output", str(path))
    columns = pq.read_table(path)
    assert columns["label"].to_pylist() == LABELS
    assert [[round(share, 6) for share in shares] for shares in columns["confidence"].to_pylist()] == confidences
    assert [dict(entry) for entry in columns["explanation"].to_pylist()] == [row["explanation"] for row in rows]


def test_a_set_does_not_replace_the_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = export(doubting(several_labels()), tmp_path / "labels")
    with_sets = printed(folder, capsys, "--coverage", "0.5").splitlines()
    plain = printed(folder, capsys).splitlines()
    assert [json.loads(line)["label"] for line in with_sets] == [json.loads(line)["label"] for line in plain]
