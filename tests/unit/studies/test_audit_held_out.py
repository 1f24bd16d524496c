"""Probabilities of rows by models that were trained on others."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.studies.audits import rows_with_issues
from tests.unit.studies.samples import CLASSES, setup
from textclf.studies import measure
from textclf.studies.audit import issues
from textclf.studies.audit.issues import held_out_probabilities
from textclf.studies.settings import Audit

SETTINGS = Audit(folds=3)


def probabilities(rows: pd.DataFrame, models: tuple[str, ...] = ("logistic_regression",)) -> dict[str, Any]:
    return dict(held_out_probabilities(rows, CLASSES, models, setup(models), SETTINGS))


def test_no_model_judges_a_row_a_text_or_a_group_that_it_has_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_with_issues()
    rows.loc[1, "text"], rows.loc[3, "group"] = rows["text"][0].upper(), rows["group"][5]
    trained: list[tuple[set[str], set[str]]] = []
    original = measure.make_features

    def make(splits: dict[str, pd.DataFrame], *arguments: Any) -> Any:
        assert "split" not in splits["train"]
        for column in ("id", "group"):
            assert not set(splits["train"][column]) & set(splits["test"][column])
        assert not set(splits["train"]["text"].str.lower()) & set(splits["test"]["text"].str.lower())
        trained.append((set(splits["train"]["id"]), set(splits["test"]["id"])))
        return original(splits, *arguments)

    monkeypatch.setattr(issues, "make_features", make)
    probabilities(rows)
    assert [train | test == set(rows["id"]) for train, test in trained] == [True] * 3
    assert sorted(each for _, test in trained for each in test) == sorted(rows["id"])  # of all splits, each once


def test_each_row_gets_its_own_probabilities_whatever_the_index() -> None:
    rows = rows_with_issues()
    found = probabilities(rows, ("logistic_regression", "naive_bayes"))
    assert list(found) == ["logistic_regression", "naive_bayes"]
    words = rows["text"].str.contains("class1").to_numpy()
    for each in found.values():
        assert np.allclose(each.sum(axis=1), 1)
        assert ((each[:, 1] > 0.5) == words).all()
    moved = rows.set_axis(range(100, 100 + len(rows)), axis=0)
    assert np.array_equal(probabilities(moved)["logistic_regression"], found["logistic_regression"])
