"""What the page says of a run of several labels per text."""

import re
from typing import Any

import numpy as np
import pytest

from tests.page import sections
from tests.runs import make_run
from textclf.artifacts.predictions import concatenate
from textclf.evaluate.results import format_metric
from textclf.report import curves, errors
from textclf.report.doubt import doubt
from textclf.report.run import Run, tables_of

MODELS = ("majority", "logistic_regression", "keras")
SETS = (("a",), ("a", "b"), (), ("c",), ("b", "c"), ("a", "b", "c"), ("b",))
TEXTS = ("good food", "Bad place", "fine", "dear", "so so")


def make(classes: tuple[str, ...] = ("a", "b", "c"), **settings: str) -> Run:
    keys = {"evaluate.threshold": "f1"} | {name.replace("__", "."): value for name, value in settings.items()}
    return make_run(MODELS, classes, 70, validation=True, texts=TEXTS, settings=keys, sets=SETS, history=["keras"])


RUN = make()
TEXT = sections(RUN)


def parts(model: str, run: Run = RUN) -> tuple[Any, Any, Any]:
    """The labels of the test rows, a model's probabilities and what it decides."""
    rows = concatenate(list(run.predictions[model]))
    rows = rows.take(rows.split == "test")
    return rows.y, rows.probabilities, run.decision(model).decide(rows.probabilities)


def test_the_headline_is_the_share_of_exact_sets_with_micro_and_macro_f1() -> None:
    name = RUN.default[0]
    y, _, decided = parts(name)
    right = int((y == decided).all(axis=1).sum())
    assert RUN.right(name) == right
    measured = RUN.results.evaluation[name]["test"]
    assert f"gives {right} of the 70 test texts exactly their labels (subset accuracy)." in TEXT["summary"]
    micro = "{} ({})".format(*format_metric("micro_f1", measured, RUN.results.intervals[name]["test"]))
    assert f"The F1 of all labels together (micro F1) is {micro}." in TEXT["summary"]
    assert f"The mean F1 of the labels (macro F1) is {measured['f1']:.1%} (" in TEXT["summary"]
    assert re.search(r"\bmacro F1\b", TEXT["models"])
    assert not re.search(r"(?<!micro )(?<!macro )\bF1\b", TEXT["models"])


@pytest.mark.parametrize("section", ["models", "history", "errors", "terms", "confusion", "curves", "data"])
def test_the_page_speaks_of_labels_and_of_subset_accuracy(section: str) -> None:
    assert not re.findall(r"\bclass(?:es)?\b", TEXT[section])
    assert not re.findall(r"(?<![Ss]ubset )\baccuracy\b", TEXT[section])


def test_metrics_of_two_labels_are_means_and_not_those_of_a_positive_class() -> None:
    two = make_run(MODELS, ("a", "b"), 70, validation=True, sets=[[n for n in each if n != "c"] for each in SETS])
    text = sections(two)
    assert "are means over the labels, each against the rest" in text["models"]
    assert "Mistakes by class" not in text["confusion"]
    assert [chart.title for chart in curves.curves(two)["charts"][:2]] == ["ROC, label a", "ROC, label b"]


def test_each_label_has_its_rows_its_threshold_and_its_calibration() -> None:
    table = curves.curves(RUN)["table"]
    lines = {(row[0], row[1]): row for row in table.rows}
    assert table.columns[:4] == ["label", "model", "rows", "threshold"]
    y, probabilities, _ = parts("keras")
    for place, name in enumerate(RUN.classes):
        has, chances = y[:, place], probabilities[:, place]
        bins = np.ceil(chances * 10)
        error = sum(abs((has - chances)[bins == each].sum()) for each in np.unique(bins)) / len(has)
        row = lines[name, "keras"]
        assert row[2:4] == [str(has.sum()), f"{RUN.decision('keras').thresholds[place]:.3f}"]  # type: ignore[index]
        assert row[-1] == (f"{error:.3f}", f"mean {chances.mean():.1%}")


def test_labels_decided_for_texts_with_another_stand_beside_the_texts_with_both() -> None:
    y, _, decided = parts("keras")
    both, found = y.T.astype(int) @ y, y.T.astype(int) @ decided
    shown = curves.confusion(RUN)
    titles = [chart.title for chart in shown["charts"] + shown["more"]]
    assert titles == ["majority", "logistic regression", "keras", "actual labels"]
    place = {name: n for n, name in enumerate(RUN.classes)}
    lines = [row for row in shown["pairs"].rows if row[0] == "keras"]
    assert lines
    more = []
    for _, actual, predicted, rows, share, with_both in lines:
        pair = place[actual], place[predicted]
        assert (rows, with_both) == (str(found[pair]), str(both[pair]))
        assert share == f"{found[pair] / both[pair[0], pair[0]]:.1%}"
        more.append(found[pair] - both[pair])
    assert more == sorted(more, reverse=True)


def test_the_surest_missed_and_extra_labels_come_first_among_those_of_their_text() -> None:
    y, probabilities, decided = parts("keras")
    (shown,) = [model for model in errors.errors(RUN)["mistakes"] if model["model"] == "keras"]
    assert shown["wrong"] == int((y != decided).any(axis=1).sum())
    for kind, sureness in (("missed", 1 - probabilities), ("extra", probabilities)):
        mistakes = (y > decided) if kind == "missed" else (y < decided)
        surest = np.where(mistakes, sureness, -1).max(axis=1)
        rows = shown["kinds"][kind]
        assert len(rows) == min(10, (surest >= 0).sum())
        order = np.argsort(-surest, kind="stable")
        assert [row["id"] for row in rows] == [f"rows.csv:test{place}" for place in order[: len(rows)]]
        for row, place in zip(rows, order, strict=False):
            name, mark, probability = row["labels"][0]
            column = RUN.classes.index(name)
            assert (mark, probability) == (kind, f"{probabilities[place, column]:.1%}")
            assert sureness[place, column] == surest[place]
            every = np.flatnonzero(y[place] | decided[place])
            assert {name for name, *_ in row["labels"]} == {RUN.classes[each] for each in every.tolist()}


def test_texts_are_counted_by_their_number_of_labels() -> None:
    y, _, decided = parts("keras")
    table = errors.errors(RUN)["set_sizes"]
    assert table.columns == ["labels", "actual", "majority", "logistic regression", "keras"]
    for row in table.rows:
        size = int(row[0])
        assert row[1] == str((y.sum(axis=1) == size).sum())
        assert row[4] == str((decided.sum(axis=1) == size).sum())
    assert sum(int(row[1]) for row in table.rows) == 70


def test_a_model_that_decides_the_same_labels_for_all_rows_is_told_by_its_labels() -> None:
    assert RUN.constant("keras") is None
    assert RUN.constant("majority") == []
    assert "It gives every text no label and is wrong on 60 of them." in TEXT["errors"]
    always = make(evaluate__threshold="0.1")
    assert always.constant("majority") == [0, 1, 2]
    assert "It gives every text the labels a, b, c and is wrong on 60 of them." in sections(always)["errors"]


def test_shares_of_labels_are_of_all_rows_and_texts_without_labels_are_counted() -> None:
    assert "a 30 30 30 90 42.9%" in TEXT["data"]
    assert "no label 10 10 10 30 14.3% all 70 70 70 210 100.0% labels per text 1.43 1.43 1.43 1.43" in TEXT["data"]


def test_texts_with_different_sets_of_labels_are_listed() -> None:
    run = make_run(MODELS, ("a", "b", "c"), 70, validation=True, texts=("good food", "bad"), sets=SETS[:2] + SETS[2:3])
    text = sections(run)["data"]
    assert "Texts with different sets of labels (2)" in text
    assert "a, b, 36 rows:" in text
    assert "no label, 33 rows:" in text


def test_prediction_sets_are_told_by_the_share_of_the_labels_that_they_have() -> None:
    shown = doubt(make(evaluate__coverage="0.8"))
    assert shown is not None
    assert shown["sets"].columns[1:] == [
        "share of the labels in the set",
        "labels per set",
        "one label",
        "several",
        "none",
    ]
    assert all(len(row) == 6 for row in shown["sets"].rows)
    text = sections(make(evaluate__coverage="0.8"))["doubt"]
    assert "on average it has 80% of the labels of texts like these" in text
    assert "A set with one class is an answer" not in text


def test_average_precision_is_read_of_labels_alone() -> None:
    assert "average_precision" in tables_of("multilabel")["classes"]
    assert "average_precision" not in tables_of("multiclass")["classes"]
