"""Studies of texts with several labels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import stages.learning_curve
import stages.search
import stages.split
from tests.refusal import refusal
from tests.unit.split.rows import NO_CORRECTIONS, NO_LABELLED
from tests.unit.studies.samples import corpus, crossvalidated, sections, settings, setup
from textclf.artifacts.features import Features
from textclf.core import files
from textclf.core.text_row import TextRow
from textclf.split.settings import Split
from textclf.studies import measure
from textclf.studies.crossvalidation import make_folds
from textclf.studies.measure import Setup, learning_curve
from textclf.studies.search.trials import Scores, Searcher, _digest, best_of
from textclf.studies.settings import CompleteSearch, Search
from textclf.tables.settings import Data

LABELS = ["alpha", "beta", "rare"]


def table(rows: int = 60) -> pd.DataFrame:
    """Return rows with sets of labels, as splits are read; a third of the texts is empty."""
    sets = [["alpha"], [], ["alpha", "beta"], ["beta"], [], ["alpha", "beta", "rare"]]
    labels = pd.Series([np.array(sets[number % 6], dtype=object) for number in range(rows)])
    texts = [f"{' '.join(names)} row{number}" for number, names in enumerate(labels)]
    return corpus(rows).assign(text=texts, label=labels)


def count(rows: pd.DataFrame, label: str) -> int:
    return int((rows["label"].explode() == label).sum())


def test_every_row_is_tested_once_and_rare_labels_are_in_every_fold() -> None:
    folds = [splits for _, _, splits in make_folds(table(), settings(folds=5, repeats=1))]
    assert sorted(name for splits in folds for name in splits["test"]["id"]) == sorted(
        table()["id"]
    )
    assert [count(splits["test"], "rare") for splits in folds] == [2] * 5
    assert all(count(splits["train"], "rare") == 8 for splits in folds)


def test_a_label_with_fewer_texts_than_folds_is_an_error() -> None:
    said = refusal(lambda: list(make_folds(table(18), settings(folds=4))))
    assert said.startswith("each class must have at least 4 texts for 4 folds; rare has 3; ")


def measure_exact_sets(
    features: Mapping[str, Features], model: Any, setup: Setup
) -> dict[str, float]:
    """Return the share of exact sets on test rows at threshold 0.5, by names of metrics."""
    test = measure.predict_held_out(features, model, setup.pretrained)[-1]
    return dict.fromkeys(
        ("accuracy", "log_loss"), float(((test.probabilities > 0.5) == test.y).all(axis=1).mean())
    )


def test_a_learning_curve_needs_rows_with_and_without_each_label(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure, "measure_features", measure_exact_sets)
    rows = table(120)
    splits = {"train": rows[:90].iloc[::-1], "test": rows[90:]}
    curve = learning_curve(splits, LABELS, setup())
    assert curve["rows"].tolist() == [rows for tenth in range(1, 11) for rows in [9 * tenth] * 2]
    last = dict(zip(curve["model"][-2:], curve["accuracy"][-2:], strict=True))
    assert last == {"majority": pytest.approx(1 / 3, abs=1e-6), "logistic_regression": 1}
    labels = [np.array(["alpha"], dtype=object)] * 10 + splits["train"]["label"].tolist()[10:]
    everywhere = splits["train"].assign(label=pd.Series(labels, splits["train"].index))
    # All rows of the first tenth have the label.
    assert learning_curve({**splits, "train": everywhere}, LABELS, setup())["rows"].min() == 18
    few = rows[rows["label"].map(lambda names: "rare" not in names)]
    said = refusal(learning_curve, {**splits, "train": few}, LABELS, setup())
    assert said == "each class must have at least 1 training rows; rare has 0"


def test_a_search_scores_sets_of_labels_and_knows_rows_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "measure_features", measure_exact_sets)
    settings = {"trials": 2, "folds": 3, "space": {"C": [0.001, 100.0]}, "metric": "accuracy"}
    chosen = CompleteSearch.model_validate({"model": "logistic_regression", **settings})
    trials = Searcher(chosen, setup(), LABELS, Scores(tmp_path)).search(table(), lambda _: None)
    best = best_of(trials, "accuracy")
    assert (best.settings["C"], best.score) == (100, 1)
    labels = table()["label"].tolist()[::-1]
    texts = [TextRow(text, {"price": "1"}) for text in table()["text"]]
    others = table().assign(label=labels), table().assign(text=pd.Series(texts, dtype=object))
    digests = [_digest({"train": rows}) for rows in (table(), table(), *others)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_the_stages_of_studies_read_sets_of_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, names = table(120), ("majority", "logistic_regression")
    rows = rows.assign(label=["|".join(labels) for labels in rows["label"]])
    several, studied = {"task": "multilabel", "label_separator": "|"}, settings(folds=2, repeats=1)
    results, _ = crossvalidated(tmp_path, rows, *names, studied=studied, **several)
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [*names]
    assert results["logistic_regression"]["accuracy"]["mean"] > 0.8
    report, trainings, figure = (
        tmp_path / name for name in ("report.json", "trainings.csv", "figure.svg")
    )
    folders = {"splits": tmp_path / "splits", "pretrained": tmp_path}
    data = Data.model_validate({"path": str(tmp_path / "rows.csv"), **several})
    none = {"corrections": NO_CORRECTIONS, "labelled": NO_LABELLED}
    stages.split.run(data, Split(), **none, splits=folders["splits"], report=report)
    stages.learning_curve.run(sections(*names), **folders, curve=trainings, figure=figure)
    assert files.read_csv(trainings)["accuracy"].iloc[-1] > 0.8
    search = Search(model="logistic_regression", trials=2, folds=2, space={"C": [0.01, 100.0]})
    written = {"summary": report, "trials": trainings, "figure": figure}
    stages.search.run(search, sections(*names), **folders, **written)
    assert len(files.read_csv(trainings)) == 2
