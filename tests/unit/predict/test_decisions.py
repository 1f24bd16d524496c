"""What exported models decide: thresholds, costs, nothing, several labels, and sets."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import expit

import textclf
from tests import approved
from tests.processes import Command
from tests.refusal import refusal
from tests.unit.predict.models import (
    doubting,
    export,
    many_classes,
    several_labels,
    state,
    three_classes,
    two_classes,
)
from textclf.artifacts.decisions import Decision, Rejection
from textclf.artifacts.layers import SIGMOIDS, Layer, LayerModel
from textclf.artifacts.unknown import write_means
from textclf.predict.predictor import Predictor

# The model of two classes gives yes the probabilities 0.88, 0.04, 0.38 and 0.18.
TEXTS = ["great place", "bad food", "", "great bad"]


def rejecting(score: Any, threshold: float, base: Predictor | None = None) -> Predictor:
    """Return a model that rejects texts with a score below a threshold."""
    base = base or two_classes()
    return replace(base, decision=replace(base.decision, rejection=Rejection(score, threshold)))


def costly(*columns: float) -> Predictor:
    """Return a model of no and yes: a wrong yes costs 5, a wrong no 1, no answer `columns`."""
    return replace(two_classes(), decision=Decision(costs=((0, 5, *columns), (1, 0, *columns))))


PRINTED: dict[str, tuple[Predictor, str]] = {
    "two classes": (two_classes(), ""),
    "the confidence of a label that is not the most probable one": (two_classes(threshold=0.9), ""),
    "the terms that speak for the label, without the text": (two_classes(), "--explain --no-text"),
    "the two most probable classes": (three_classes(), "--top 2"),
    "more classes than have a column each": (many_classes(), ""),
    "sets of one class or none": (doubting(two_classes()), "--coverage 0.2"),
    "sets of one class or two": (doubting(two_classes()), "--coverage 0.9"),
    "a set decides, whatever the threshold": (
        doubting(two_classes(threshold=0.99)),
        "--coverage 0.6",
    ),
    "texts of no class": (rejecting("probability", 0.85), ""),
    "the class that costs least": (costly(), ""),
    "no answer, where it costs less": (costly(0.3), ""),
    "several labels": (several_labels(), ""),
    "several labels with their terms and sets": (
        doubting(several_labels()),
        "--explain --coverage 0.5",
    ),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {
        name: export(model, root / str(n) / "model")
        for n, (name, (model, _)) in enumerate(PRINTED.items())
    }


def test_the_predictions_of_each_model_are_as_they_were_approved(
    folders: Mapping[str, Path], command_line: Command
) -> None:
    text = ""
    for name, (model, options) in PRINTED.items():
        text += f"# {name}: {model!r}\n"
        for kind in ("jsonl", "csv"):
            done = command_line(
                "predict", "--model", folders[name], "--to", kind, *options.split(), *TEXTS
            )
            assert (done.status, done.err) == (0, "")
            text += done.out
        text += "\n"
    approved.check(text, Path(__file__).with_name("predictions.txt"))


def read(cell: Any) -> Any:
    """Return a cell's value: numbers with six digits, what is missing empty, as in CSV."""
    if isinstance(cell, str) and cell[:1] in {"[", "{"}:
        cell = json.loads(cell)
    if isinstance(cell, dict):
        return {key: read(value) for key, value in cell.items()}
    if isinstance(cell, list):
        return [read(value) for value in cell]
    try:
        return round(float(cell), 6)
    except (TypeError, ValueError):
        return cell or ""


@pytest.mark.parametrize("name", PRINTED)
def test_csv_and_parquet_have_what_json_lines_have(
    name: str, folders: Mapping[str, Path], command_line: Command, tmp_path: Path
) -> None:
    words = ("predict", "--model", folders[name], *PRINTED[name][1].split())
    lines = [json.loads(line) for line in command_line(*words, *TEXTS).lines]
    cells = [*csv.DictReader(io.StringIO(command_line(*words, "--to", "csv", *TEXTS).out))]
    assert [list(row) for row in cells] == [list(row) for row in lines]
    assert read(cells) == read(lines)
    command_line(*words, "--output", tmp_path / "made.parquet", *TEXTS)
    for row, line in zip(pq.read_table(tmp_path / "made.parquet").to_pylist(), lines, strict=True):
        if isinstance(line.get("explanation"), dict):
            row["explanation"] = dict(row["explanation"])  # a map, which to_pylist makes pairs
        assert read({key: row[key] for key in line}) == read(line)
        assert (
            "top" in row
            or {f"probability_{each}" for each in PRINTED[name][0].classes_} <= row.keys()
        )


# Texts of no class


def test_a_text_below_the_threshold_has_no_label() -> None:
    plain = two_classes()
    highest = plain.predict_proba(TEXTS).max(axis=1)
    # One text has this probability, and keeps its label.
    threshold = float(np.sort(highest)[2])
    model = rejecting("probability", threshold)
    labels = plain.predict(TEXTS)
    labels[highest < threshold] = None
    assert model.predict(TEXTS).tolist() == labels.tolist()
    assert model.answer(TEXTS)[1] == [None if label else "unknown" for label in labels]
    assert model.predict([]).tolist() == []


def test_the_energy_is_that_of_the_text(tmp_path: Path) -> None:
    base = three_classes()
    energies = base.model.log_sum(base.vectorizer.transform(TEXTS))
    threshold = float(np.sort(energies)[1:3].mean())
    folder = export(rejecting("energy", threshold, base), tmp_path / "energy")
    assert [label is None for label in textclf.load(folder).predict(TEXTS)] == (
        energies < threshold
    ).tolist()


def test_means_are_read_with_the_model_and_must_have_its_checksum(tmp_path: Path) -> None:
    folder = export(rejecting("distance", -1.0), tmp_path / "model")
    write_means(np.eye(2, 4), folder)
    assert "is damaged or was edited" in refusal(textclf.load, folder)
    state(folder)
    means = textclf.load(folder).means
    assert means is not None
    assert np.array_equal(means, np.eye(2, 4))


# Costs


def test_a_text_without_an_answer_is_explained_as_the_class_that_costs_least() -> None:
    assert costly(0.3).explain(TEXTS) == costly().explain(TEXTS)


# Several labels


def test_a_text_has_the_labels_above_their_thresholds_and_perhaps_none(tmp_path: Path) -> None:
    predictor = textclf.load(export(several_labels(), tmp_path / "labels"))
    texts = ["bad food", "great food, great", "nothing that is known"]
    scores = [[1.5, 1.0, -4.0], [-2.5, 1.0, 5.0], [-1.0, 0.0, -1.0]]
    assert predictor.predict_proba(texts) == pytest.approx(expit(np.array(scores)))
    assert predictor.predict(texts).tolist() == [["bad", "food"], ["food", "good, great"], []]
    assert predictor.predict([]).tolist() == []


def test_each_label_is_explained_by_as_many_terms() -> None:
    assert several_labels().explain(["bad food place"], 1) == [
        {"bad": [("bad", 2.0)], "food": [("food", 1.0)]}
    ]


class Characters:
    """Dense features without terms: how many letters a and b a text has."""

    def transform(self, texts: list[str]) -> np.ndarray:
        return np.array([[text.count("a"), text.count("b")] for text in texts], np.float32)


def test_words_explain_each_label_if_features_have_no_terms() -> None:
    kernel = np.array([[1.0, 0.0, -3.0], [0.0, 2.0, 0.0]])
    layer = Layer(kernel, np.array([-0.5, -0.5, 40.0]), SIGMOIDS)
    model = LayerModel(("a", "b", "sure"), (layer,))
    predictor = Predictor(Characters(), model, several_labels().decision)
    (explained,) = predictor.explain(["aa bb c"])
    assert list(explained) == ["a", "b", "sure"]
    assert explained["a"] == [("aa", pytest.approx(2.0))]
    assert explained["b"] == [("bb", pytest.approx(4.0))]


# Prediction sets


def expected(predictor: Predictor, coverage: float) -> list[list[str]]:
    """Return the sets by definition: of 100 probabilities n / 101, the (101 - rank)th lowest."""
    cutoff = np.floor((101 - np.ceil(101 * coverage)) / 101 * 1e6) / 1e6
    return [
        [name for name, value in zip(predictor.classes_, row, strict=True) if value >= cutoff]
        for row in predictor.predict_proba(TEXTS).tolist()
    ]


@pytest.mark.parametrize("make", [two_classes, three_classes])
@pytest.mark.parametrize("coverage", [0.2, 0.8, 0.99])
def test_sets_have_the_classes_whose_probability_reaches_the_cutoff(
    make: Callable[[], Predictor], coverage: float, tmp_path: Path
) -> None:
    predictor = doubting(make())
    for model in (predictor, textclf.load(export(predictor, tmp_path / "model"))):
        assert model.predict_set(TEXTS, coverage) == expected(predictor, coverage)
    assert predictor.predict_set([], coverage) == []


RAISE = "raise split.validation_size or lower the coverage"


@pytest.mark.parametrize(
    ("coverage", "line"),
    [
        *(
            (value, f"must be greater than 0 and less than 1; got {value}")
            for value in ("1.0", "0.0", "nan")
        ),
        (
            "0.995",
            (
                "must be at most 0.990099 for 100 validation rows; got 0.995, "
                f"which takes at least 199 of them; {RAISE}"
            ),
        ),
    ],
)
def test_a_coverage_that_cannot_be_is_an_error_of_one_line(
    command_line: Command, folders: Mapping[str, Path], coverage: str, line: str
) -> None:
    model = folders["sets of one class or none"]
    said = command_line("predict", "--model", model, "--coverage", coverage, *TEXTS)
    assert said == (2, "", f"error: predict: --coverage {line}\n")
    assert refusal(textclf.load(model).predict_set, TEXTS, float(coverage)) == f"coverage {line}"


def test_a_coverage_by_class_is_limited_by_the_rows_of_each_class() -> None:
    predictor = doubting(two_classes(), rows=20, by_class=True)
    assert predictor.predict_set(["bad"], 0.9523809) == [["no"]]  # 20 / 21 is the highest
    rule = (
        "coverage must be at most 0.95238 for 20 validation rows of class no; got 0.96, "
        "which takes at least 24 of them"
    )
    assert refusal(predictor.predict_set, ["bad"], 0.96) == f"{rule}; {RAISE}"
